import type { Attack } from "../attacks/index.js";
import { deriveSeed, type Seed } from "../base/index.js";
import type { Batch, TensorSplit } from "../datasets/index.js";
import { noGrad, scope, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/index.js";
import type { Probe } from "./events.js";

/** Images attacked together. */
const probeBatch = 500;

/** Some of a split's images. */
export interface ProbeImages {
  readonly data: TensorSplit;
  readonly positions: Int32Array;
}

function correct(predicted: Tensor, labels: Tensor): number {
  return predicted.eq(labels).to("float32").sum().item();
}

/** Accuracies of the probe images in one fresh draw each: clean, and under each attack. */
export function probe(
  model: Classifier,
  images: ProbeImages,
  attacks: readonly Attack[],
  seed: Seed,
): { clean: number; commonestClass: number; probes: Probe[] } {
  return scope(() => probeBatches(model, batchesOf(images), attacks, seed));
}

function batchesOf({ data, positions }: ProbeImages): Batch[] {
  return Array.from({ length: Math.ceil(positions.length / probeBatch) }, (_, i) =>
    data.batch(positions.subarray(i * probeBatch, (i + 1) * probeBatch)),
  );
}

/** Whether a network's answers to the first of the images are finite numbers. */
export function outputsFinite(model: Classifier, { data, positions }: ProbeImages, seed: Seed): boolean {
  return scope(() =>
    noGrad(() => {
      const { images, imageIds } = data.batch(positions.subarray(0, probeBatch));
      return model.logits(images, { seed, draw: 0, imageIds }).isfinite().all().item() === 1;
    }),
  );
}

function probeBatches(
  model: Classifier,
  batches: readonly Batch[],
  attacks: readonly Attack[],
  seed: Seed,
): { clean: number; commonestClass: number; probes: Probe[] } {
  const noiseSeed = deriveSeed(seed, "answer");
  const predict = (images: Tensor, imageIds: Tensor, draw: number) =>
    noGrad(() => scope(() => model.logits(images, { seed: noiseSeed, draw, imageIds }).argmax(1)));
  const total = batches.reduce((sum, batch) => sum + batch.images.shape[0]!, 0);
  const classCounts = new Array<number>(model.classes).fill(0);
  let clean = 0;
  const underAttack = attacks.map(() => 0);
  for (const { images, labels, imageIds } of batches) {
    scope(() => {
      const predicted = predict(images, imageIds, 0);
      clean += correct(predicted, labels);
      for (const label of predicted.toNumbers()) classCounts[label]!++;
      for (const [i, attack] of attacks.entries()) {
        const adversarial = attack(model, images, labels, { seed, imageIds });
        underAttack[i]! += correct(predict(adversarial, imageIds, i + 1), labels);
      }
    });
  }
  return {
    clean: clean / total,
    commonestClass: Math.max(...classCounts) / total,
    probes: attacks.map((attack, i) => ({ attack: attack.label, accuracy: underAttack[i]! / total })),
  };
}
