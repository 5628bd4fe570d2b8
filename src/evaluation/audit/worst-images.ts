import { deriveSeed } from "../../base/index.js";
import type { Batch, TensorSplit } from "../../datasets/index.js";
import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { TrialResult, TrialStore } from "../../trials/index.js";
import { imageHashes, imageSha256 } from "./evidence/data-facts.js";
import type { AuditPlan } from "./plan.js";

/** Answers to an image in the form that did the model most harm. */
export interface WorstForm {
  /** Position in the split. */
  readonly position: number;
  /** SHA-256 of its clean pixels and label. */
  readonly sha256: string;
  readonly label: number;
  /** Trial that made it. */
  readonly trial: TrialResult;
  /** Share of draws in which it is answered correctly: fresh ones, since the others chose it as the worst. */
  readonly correct: number;
  /** Class that it is most often given in these draws; the label where the model has no finite answer. */
  readonly predicted: number;
  /** The same share for its pixels rounded to 8 bits, in the same draws. */
  readonly correctRounded: number;
}

/** Image in the form that did the model most harm. */
export interface WorstImage extends WorstForm {
  /** Pixels in [0, 1], row-major (C, H, W). */
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
}

/** Number of images that differ in pixels or label. */
export function distinctImages(data: TensorSplit): number {
  return new Set(imageHashes(data)).size;
}

/** Numbers of all kept images in one form: both are a file of less than 2 GiB, as much as Node writes. */
const mostPixels = 2 ** 28 - 2 ** 20;

/** Images of a shape (C, H, W) whose pixels a report keeps, the first ones: 1,776 of 3 x 224 x 224. */
export function keptImages([channels, height, width]: readonly [number, number, number]): number {
  return Math.max(1, Math.floor(mostPixels / (channels * height * width)));
}

/** Audited images in their worst forms: all of them without pixels, and the first ones with theirs. */
export interface Worst {
  readonly forms: readonly WorstForm[];
  readonly images: readonly WorstImage[];
}

/**
 * For each of so many images the trial under which it was least often answered correctly; the first of
 * several.
 */
export function mostHarmful(within: readonly TrialResult[], images: number): TrialResult[] {
  const shareOf = ({ answers: { halves, draws } }: TrialResult, image: number) =>
    (halves[0][image]! + halves[1][image]!) / draws;
  return Array.from({ length: images }, (_, image) =>
    within.reduce((worst, result) => (shareOf(result, image) < shareOf(worst, image) ? result : worst)),
  );
}

/**
 * Every audited image in its worst form, from the store, with the answers to it as it is and rounded to 8
 * bits.
 */
export function worstImages(
  plan: AuditPlan,
  brokenBy: readonly TrialResult[],
  data: TensorSplit,
  store: TrialStore,
  batchSize: number,
): Worst {
  const forms: WorstForm[] = [];
  const images: WorstImage[] = [];
  const most = keptImages(plan.players.model.inputShape);
  for (let first = 0; first < data.count; first += batchSize) {
    const trials = brokenBy.slice(first, first + batchSize);
    const found = noGrad(() => scope(() => worstOfBatch(plan, data, first, trials, store)));
    images.push(...found.slice(0, Math.max(0, most - first)));
    forms.push(...found.map(({ clean: _, adversarial: __, ...form }) => form));
  }
  return { forms, images };
}

/** Images from position `first` on, each as the trial in its place showed it. */
function worstOfBatch(
  plan: AuditPlan,
  data: TensorSplit,
  first: number,
  trials: readonly TrialResult[],
  store: TrialStore,
): WorstImage[] {
  const place = { first, count: trials.length };
  const batch = data.range(first, trials.length);
  const shown = batch.images.clone();
  for (const result of new Set(trials)) copyRows(shown, store.images(result.trial, place), trials, result);
  const rounded = shown.mul(255).round().div(255);
  const [answers, answersRounded] = [shown, rounded].map((images) => answersTo(plan, { ...batch, images }));
  const [clean, adversarial] = [batch.images, shown].map((images) => images.toArray() as Float32Array);
  const pixels = clean!.length / trials.length;
  const labels = batch.labels.toNumbers();
  return trials.map((trial, i) => {
    const [before, after] = [clean!, adversarial!].map((all) => all.slice(i * pixels, (i + 1) * pixels));
    const label = labels[i]!;
    return {
      position: first + i,
      sha256: imageSha256({ clean: before!, label }),
      label,
      clean: before!,
      adversarial: after!,
      trial,
      correct: answers!.shares[i]!,
      predicted: answers!.predicted[i]!,
      correctRounded: answersRounded!.shares[i]!,
    };
  });
}

/**
 * Share of fresh draws in which each image is answered correctly, and the class that it is most often given:
 * 0 and its label where the model has no finite answer.
 */
function answersTo({ players: { model }, budget, seed }: AuditPlan, { images, labels, imageIds }: Batch) {
  const draws = model.randomized ? budget.draws : 1;
  const votes = ops.zeros([images.shape[0]!, model.classes], "float32", images.device);
  const noise = { seed: deriveSeed(seed, "worst"), imageIds };
  for (let draw = 0; draw < draws; draw++) {
    const answered = scope(() => {
      const logits = model.logits(images, { ...noise, draw });
      votes.add_(votes.zerosLike().scatterValue(1, logits.argmax(1, true), 1));
      return logits.isfinite().all().item() === 1;
    });
    // A check tells of it.
    if (!answered) return { shares: new Float32Array(images.shape[0]!), predicted: labels.toNumbers() };
  }
  const correct = votes.gather(1, labels.unsqueeze(1)).squeeze(1).toNumbers();
  return {
    shares: Float32Array.from(correct, (count) => count / draws),
    predicted: votes.argmax(1).toNumbers(),
  };
}

/** Copies the rows of `from` that stand in `trials` under the result. */
function copyRows(to: Tensor, from: Tensor, trials: readonly TrialResult[], result: TrialResult): void {
  for (const [i, one] of trials.entries()) if (one === result) to.select(0, i).copy_(from.select(0, i));
}

/**
 * Share of the images that fool the model more often than not which still do when rounded to 8 bits; null
 * without any.
 */
export function roundingSurvivors(worst: readonly WorstForm[]): number | null {
  const broken = worst.filter(({ correct }) => correct < 0.5);
  if (broken.length === 0) return null;
  return broken.filter(({ correctRounded }) => correctRounded < 0.5).length / broken.length;
}
