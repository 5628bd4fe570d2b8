import type { Seed } from "../base/index.js";
import type { Batch } from "../datasets/index.js";
import { type Noise, noGrad, operators as ops, scope, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";

/** Something about a network, or its evaluation, that makes its accuracies mean less than they seem to. */
export interface Flag {
  readonly kind: "batch-dependent" | "hidden-randomness" | "probabilities" | "no-worst-case";
  readonly message: string;
}

/** Images that a network is examined on. */
export const flagImages = 16;

/** A change of logits that counts, as a share of the largest logit: beyond what other orders of summation cause. */
const noticeable = 1e-3;

/** The share of images whose logits may change with the batch: a quantizer's rounding may flip with the last bit of its input. */
const flips = 0.1;

/** What is wrong with a network's answers, judged by a few clean images. */
export function flagsOf(model: Classifier, { images, imageIds }: Batch, seed: Seed): Flag[] {
  return noGrad(() =>
    scope(() => {
      const noise: Noise = { seed, draw: 0, imageIds };
      const logits = model.logits(images, noise);
      const flags: Flag[] = [];
      if (looksLikeProbabilities(logits)) {
        flags.push({
          kind: "probabilities",
          message:
            "the outputs look like probabilities, not logits: after a softmax gradients vanish and attacks seem to fail",
        });
      }
      const changed = rowsThatChange(logits, aloneLogits(model, images, noise));
      if (changed > Math.max(1, flips * images.shape[0]!)) {
        flags.push({
          kind: "batch-dependent",
          message:
            `the logits of ${changed} of ${images.shape[0]} images depend on the other images of the batch ` +
            "(minima and maxima or statistics over the batch?): accuracies hold for this batch size only",
        });
      }
      if (!model.randomized && rowsThatChange(logits, model.logits(images, { ...noise, draw: 1 })) > 0) {
        flags.push({
          kind: "hidden-randomness",
          message: "the network says that it is deterministic, but answers one image in different ways",
        });
      }
      return flags;
    }),
  );
}

function aloneLogits(model: Classifier, images: Tensor, noise: Noise): Tensor {
  const rows = Array.from({ length: images.shape[0]! }, (_, i) =>
    model.logits(images.slice(0, i, i + 1), { ...noise, imageIds: noise.imageIds.slice(0, i, i + 1) }),
  );
  return ops.cat(rows, 0);
}

function rowsThatChange(before: Tensor, after: Tensor): number {
  const limit = noticeable * before.abs().amax().item();
  return after.sub(before).abs().amax([1]).gt(limit).to("float32").sum().item();
}

function looksLikeProbabilities(logits: Tensor): boolean {
  const inRange = logits.amin().item() >= 0 && logits.amax().item() <= 1;
  return inRange && logits.sumDim([1]).sub(1).abs().amax().item() < 1e-3;
}
