import { pgd } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import type { Split } from "../../../src/datasets/index.js";
import { imageIdRange, operators as ops, type Tensor, tensor } from "../../../src/engine/index.js";
import type { AuditPlan } from "../../../src/evaluation/audit/plan.js";
import { audit, type Budget } from "../../../src/evaluation/index.js";
import type { Classifier } from "../../../src/nn/index.js";
import { trialOn } from "../../../src/trials/index.js";
import { goldenImages, goldenLabels } from "../../attacks/tiny-networks.js";
import { splitFor } from "../splits.js";

/** As little as an audit can spend. */
export const budget: Budget = {
  images: 6,
  draws: 6,
  steps: 4,
  restarts: 1,
  adaptiveSteps: 2,
  targets: 2,
  expectation: [1, 2],
  suiteSteps: 2,
  queries: 8,
  estimateSteps: 1,
  decisionSteps: 1,
  boundarySteps: 2,
  noiseTries: 2,
  gaussianTries: 2,
  angles: 2,
  seeds: 1,
  curve: { queries: 8, noiseTries: 2, draws: 2 },
};

/** Images (N, C, H, W) in gray levels, with the model's own answers as labels. */
export function splitOf(model: Classifier, images: Tensor): Split {
  const count = images.shape[0]!;
  const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds: imageIdRange(0, count) };
  const levels = images.mul(255).round();
  const labels = model.logits(levels.div(255), noise).argmax(1);
  return splitFor(model, Uint8Array.from(levels.toNumbers()), Uint8Array.from(labels.toNumbers()));
}

/** The golden images in gray levels, with the model's own answers as labels. */
export function goldenSplit(model: Classifier): Split {
  const images = Uint8Array.from(goldenImages.mul(255).round().toNumbers());
  const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds: goldenLabels };
  return splitFor(model, images, Uint8Array.from(model.logits(goldenImages, noise).argmax(1).toNumbers()));
}

/** The claim of tiny audits: PGD of 8 steps. */
export const claimOf = (epsilon: number) => pgd({ epsilon, stepSize: epsilon / 4, steps: 8 });

/** Plan of a tiny audit, all of whose surrogates lend images. */
export function planOf(model: Classifier, epsilon = 0.05): AuditPlan {
  const lenders = Object.keys(model.surrogates ?? {});
  const claim = trialOn(claimOf(epsilon));
  const seed = deriveSeed(0, "test");
  return {
    players: { model },
    budget,
    norm: "linf",
    epsilon,
    claim,
    claimed: true,
    seed,
    batchSize: 50,
    lenders,
  };
}

/** A whole tiny audit, kept in memory. */
export function audited(
  model: Parameters<typeof audit>[0],
  split: Split,
  options: Partial<Parameters<typeof audit>[2]> & { epsilon?: number } = {},
) {
  const { epsilon = 0.05 } = options;
  return audit(model, split, { claim: claimOf(epsilon), budget, ...options, epsilon });
}

/**
 * Linear classifier of images (C, H, W): each class is a weighted sum of the pixels, weights 0.5 apart, the
 * last pixels for the last class.
 */
export function linearModel(inputShape: readonly [number, number, number], classes: number): Classifier {
  const pixels = inputShape[0] * inputShape[1] * inputShape[2];
  const weights = Float32Array.from({ length: classes * pixels }, (_, i) => {
    const [row, column] = [Math.floor(i / pixels), i % pixels];
    return column % classes === row ? 1 : -0.25;
  });
  const matrix = tensor(weights, [classes, pixels]);
  return {
    inputShape,
    classes,
    randomized: false,
    logits: (images) => ops.linear(images.flatten(1), matrix),
  };
}
