import type { Attack } from "../attacks/index.js";
import { deriveSeed, NotFiniteError, type Seed } from "../base/index.js";
import type { TensorSplit } from "../datasets/index.js";
import { noGrad, scope } from "../engine/index.js";
import type { Classifier } from "../nn/index.js";
import { type BatchRecord, joinBatches, runBatch, trialOn } from "../trials/index.js";
import type { AttackedAccuracy } from "./events.js";

/** Accuracies of validation images. */
export interface Validation {
  readonly clean: number;
  /** Share of the clean images that are predicted as the commonest class. */
  readonly commonestClass: number;
  readonly validation: AttackedAccuracy[];
}

/** Images attacked together. */
const batchImages = 500;

/** Accuracies of images in one fresh draw each: clean, and under each attack. */
export function validate(
  classifier: Classifier,
  data: TensorSplit,
  positions: Int32Array,
  attacks: readonly Attack[],
  seed: Seed,
): Validation {
  const noise = { seed: deriveSeed(seed, "answer"), draw: 0 };
  const seeds = { attack: seed, answers: (id: string) => deriveSeed(seed, "answers", id) };
  const run = { players: { model: classifier }, draws: 1, seeds };
  const classCounts = new Array<number>(classifier.classes).fill(0);
  let correct = 0;
  const attacked = attacks.map((attack) => ({ trial: trialOn(attack), records: [] as BatchRecord[] }));
  for (let first = 0; first < positions.length; first += batchImages) {
    scope(() => {
      const batch = data.batch(positions.subarray(first, first + batchImages));
      const { images, labels, imageIds } = batch;
      const predicted = noGrad(() => classifier.logits(images, { ...noise, imageIds }).argmax(1));
      correct += predicted.eq(labels).to("float32").sum().item();
      for (const label of predicted.toNumbers()) classCounts[label]!++;
      for (const { trial, records } of attacked) {
        const { record } = scope(() => runBatch(trial, batch, run));
        if (record.stop !== undefined) throw new NotFiniteError(record.stop.what, record.stop.message);
        records.push(record);
      }
    });
  }
  return {
    clean: correct / positions.length,
    commonestClass: Math.max(...classCounts) / positions.length,
    validation: attacked.map(({ trial, records }) => ({
      attack: String(trial.attack),
      accuracy: joinBatches(trial, records).answers.mean(),
    })),
  };
}

/** Tells whether a classifier answers the first of the images with finite numbers. */
export function outputsFinite(
  classifier: Classifier,
  data: TensorSplit,
  positions: Int32Array,
  seed: Seed,
): boolean {
  return scope(() =>
    noGrad(() => {
      const { images, imageIds } = data.batch(positions.subarray(0, batchImages));
      return classifier.logits(images, { seed, draw: 0, imageIds }).isfinite().all().item() === 1;
    }),
  );
}

/** Image in a form to be shown: pixels in [0, 1], row-major (C, H, W). */
export interface AttackedImage {
  readonly position: number;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
}

/** Images that are shown of an epoch. */
const shownImages = 4;

/** The first images clean and under an attack; none where its numbers are not finite. */
export function attackedImages(
  classifier: Classifier,
  data: TensorSplit,
  positions: Int32Array,
  attack: Attack,
  seed: Seed,
): AttackedImage[] {
  return scope(() => {
    const shown = positions.subarray(0, shownImages);
    const batch = data.batch(shown);
    const seeds = { attack: seed, answers: (id: string) => deriveSeed(seed, "answers", id) };
    const run = { players: { model: classifier }, draws: 1, seeds };
    const { images, record } = runBatch(trialOn(attack), batch, run);
    if (record.stop !== undefined) return [];
    const [clean, adversarial] = [batch.images, images].map((all) => all.toArray() as Float32Array);
    const size = clean!.length / shown.length;
    return Array.from(shown, (position, i) => ({
      position,
      clean: clean!.slice(i * size, (i + 1) * size),
      adversarial: adversarial!.slice(i * size, (i + 1) * size),
    }));
  });
}
