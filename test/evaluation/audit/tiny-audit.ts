import { deriveSeed } from "../../../src/base/index.js";
import type { Split } from "../../../src/datasets/index.js";
import { imageIdRange, operators as ops, type Tensor, tensor } from "../../../src/engine/index.js";
import {
  type Audit,
  type AuditEvent,
  type AuditPlan,
  audit,
  type Budget,
  MemoryStore,
  whiteBox,
} from "../../../src/evaluation/audit/index.js";
import type { Classifier } from "../../../src/nn/classifier.js";
import { goldenImages, goldenLabels } from "../../attacks/tiny-networks.js";

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

/** Images (N, C, H, W) in gray levels, with the network's own answers as labels. */
export function splitOf(model: Classifier, images: Tensor): Split {
  const count = images.shape[0]!;
  const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds: imageIdRange(0, count) };
  const levels = images.mul(255).round();
  const labels = model.logits(levels.div(255), noise).argmax(1);
  return { images: Uint8Array.from(levels.toNumbers()), labels: Uint8Array.from(labels.toNumbers()), count };
}

/** The golden images in gray levels, with the network's own answers as labels. */
export function goldenSplit(model: Classifier): Split {
  const images = Uint8Array.from(goldenImages.mul(255).round().toNumbers());
  const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds: goldenLabels };
  return { images, labels: Uint8Array.from(model.logits(goldenImages, noise).argmax(1).toNumbers()), count: 6 };
}

export function planOf(model: Classifier, epsilon = 0.05): AuditPlan {
  const claim = whiteBox(`pgd(epsilon=${epsilon}, stepSize=${epsilon / 4}, steps=8)`);
  return { subject: { model }, budget, norm: "linf", epsilon, claim, seed: deriveSeed(0, "test") };
}

export async function finished(events: AsyncIterable<AuditEvent>): Promise<Audit> {
  for await (const event of events) if (event.type === "end") return event.audit;
  throw new Error("no end");
}

/** A whole audit of a plan, kept in memory. */
export function audited(plan: AuditPlan, split: Split): Promise<Audit> {
  return finished(audit(plan, split, { store: new MemoryStore() }));
}

/** A linear network of shape (C, H, W): each class is a weighted sum of the pixels, weights 0.5 apart, the last pixels for the last class. */
export function linearNetwork(inputShape: readonly [number, number, number], classes: number): Classifier {
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
