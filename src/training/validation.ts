import type { Attack } from "../attacks/index.js";
import { deriveSeed, NotFiniteError, type Seed } from "../base/index.js";
import type { Batch, TensorSplit } from "../datasets/index.js";
import { noGrad, scope } from "../engine/index.js";
import type { Classifier } from "../nn/index.js";
import { type BatchOutcome, type BatchRecord, joinBatches, runBatch, trialOn } from "../trials/index.js";
import type { AttackedAccuracy } from "./events.js";

/** Image under an attack, in a form to be shown: pixels in [0, 1], row-major (C, H, W). */
export interface AttackedImage {
  readonly position: number;
  readonly label: number;
  /** Class that the model gives it under the attack. */
  readonly predicted: number;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
}

/** Accuracies of validation images. */
export interface Validation {
  readonly clean: number;
  /** Share of the clean images that are predicted as the commonest class. */
  readonly commonestClass: number;
  readonly validation: AttackedAccuracy[];
  /** The first images under the last attack, as many as were asked for. */
  readonly shown: readonly AttackedImage[];
}

/** Images attacked together. */
const batchImages = 500;

/**
 * Accuracies of images in one fresh draw each: clean, and under each attack. Of the last attack's images the
 * first are kept as they were made for it, at most `shownImages` and a batch.
 */
export function validate(
  classifier: Classifier,
  data: TensorSplit,
  positions: Int32Array,
  attacks: readonly Attack[],
  seed: Seed,
  shownImages = 0,
): Validation {
  const noise = { seed: deriveSeed(seed, "answer"), draw: 0 };
  const seeds = { attack: seed, answers: (id: string) => deriveSeed(seed, "answers", id) };
  const run = { players: { model: classifier }, draws: 1, seeds };
  const classCounts = new Array<number>(classifier.classes).fill(0);
  let correct = 0;
  const attacked = attacks.map((attack) => ({ trial: trialOn(attack), records: [] as BatchRecord[] }));
  let shown: readonly AttackedImage[] = [];
  for (let first = 0; first < positions.length; first += batchImages) {
    scope(() => {
      const batch = data.batch(positions.subarray(first, first + batchImages));
      const { images, labels, imageIds } = batch;
      const predicted = noGrad(() => classifier.logits(images, { ...noise, imageIds }).argmax(1));
      correct += predicted.eq(labels).to("float32").sum().item();
      for (const label of predicted.toNumbers()) classCounts[label]!++;
      for (const { trial, records } of attacked) {
        scope(() => {
          const outcome = runBatch(trial, batch, run);
          const { record } = outcome;
          if (record.stop !== undefined) throw new NotFiniteError(record.stop.what, record.stop.message);
          records.push(record);
          if (first === 0 && trial === attacked.at(-1)!.trial)
            shown = firstOf(positions.subarray(0, shownImages), batch, outcome);
        });
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
    shown,
  };
}

/** The first images of a batch in a form to be shown, at most as many as there are positions. */
function firstOf(positions: Int32Array, batch: Batch, { images, predicted }: BatchOutcome): AttackedImage[] {
  const count = Math.min(positions.length, predicted.length);
  if (count === 0) return [];
  const [clean, adversarial] = [batch.images, images].map(
    (all) => all.slice(0, 0, count).toArray() as Float32Array,
  );
  const labels = batch.labels.toNumbers();
  const size = clean!.length / count;
  return Array.from({ length: count }, (_, i) => ({
    position: positions[i]!,
    label: labels[i]!,
    predicted: predicted[i]!,
    clean: clean!.slice(i * size, (i + 1) * size),
    adversarial: adversarial!.slice(i * size, (i + 1) * size),
  }));
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
