import type { Seed } from "../../base/index.js";
import { type Batch, partsOfBatch } from "../../datasets/index.js";
import { type Noise, noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import type { Flag } from "./flag.js";

/** Images that a model is examined on. */
export const flagImages = 16;

/**
 * Change of logits that counts, as a share of the largest logit: beyond what other orders of summation cause.
 */
const noticeable = 1e-3;

/**
 * Share of images whose logits may change with the batch: the last bit of its input may flip a quantizer's
 * rounding.
 */
const flips = 0.1;

/** Faults of a model's answers to a few clean images, of which at most `batchSize` pass together. */
export function flagsOf(classifier: Classifier, batch: Batch, seed: Seed, batchSize: number): Flag[] {
  return noGrad(() =>
    scope(() => {
      const count = batch.images.shape[0]!;
      const logitsIn = (draw: number, size = batchSize) => logitsOf(classifier, batch, { seed, draw }, size);
      const logits = logitsIn(0);
      const flags: Flag[] = [];
      if (looksLikeProbabilities(logits)) {
        flags.push({
          kind: "probabilities",
          message:
            "the outputs look like probabilities, not logits: after a softmax gradients vanish and attacks " +
            "seem to fail; leave the softmax out",
        });
      }
      const equal = logits
        .amax([1])
        .eq(logits.amin([1]))
        .to("float32")
        .sum()
        .item();
      if (equal > flips * count) {
        flags.push({
          kind: "equal-logits",
          message: `all logits are equal for ${equal} of ${count} images: the model does not tell them apart`,
        });
      }
      const changed = rowsThatChange(logits, logitsIn(0, 1));
      if (changed > Math.max(1, flips * count)) {
        flags.push({
          kind: "batch-dependent",
          message:
            `the logits of ${changed} of ${count} images depend on the other images of the batch ` +
            "(minima and maxima or statistics over the batch?): accuracies hold for this batch size only",
        });
      }
      if (!classifier.randomized && rowsThatChange(logits, logitsIn(1)) > 0) {
        flags.push({
          kind: "hidden-randomness",
          message:
            "the model says that it is deterministic, but answers the same image differently: take its " +
            "noise from the pass, so that every draw is counted",
        });
      }
      return flags;
    }),
  );
}

/** Logits of images that pass by so many. */
function logitsOf(
  classifier: Classifier,
  batch: Batch,
  noise: Pick<Noise, "seed" | "draw">,
  size: number,
): Tensor {
  const parts = partsOfBatch(batch, size).map(({ images, imageIds }) =>
    scope(() => classifier.logits(images, { ...noise, imageIds })),
  );
  return ops.cat(parts, 0);
}

function rowsThatChange(before: Tensor, after: Tensor): number {
  const limit = noticeable * before.abs().amax().item();
  return after.sub(before).abs().amax([1]).gt(limit).to("float32").sum().item();
}

function looksLikeProbabilities(logits: Tensor): boolean {
  const inRange = logits.amin().item() >= 0 && logits.amax().item() <= 1;
  return inRange && logits.sumDim([1]).sub(1).abs().amax().item() < 1e-3;
}
