import { deriveSeed, NotFiniteError } from "../../base/index.js";
import { type Batch, type Split, TensorSplit } from "../../datasets/index.js";
import { noGrad, scope, type Tensor } from "../../engine/index.js";
import { Answers } from "../../trials/answers.js";
import type { TrialStore } from "../../trials/store.js";
import type { TrialResult } from "../../trials/trial-result.js";
import { batchImages } from "./budget.js";
import type { AuditPlan } from "./check.js";
import type { Audit } from "./conclude.js";

/** An image in the form that did the network most harm. */
export interface WorstImage {
  /** Its position in the split. */
  readonly position: number;
  readonly label: number;
  /** Pixels in [0, 1], row-major (C, H, W). */
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  /** The trial that made it. */
  readonly trial: TrialResult;
  /** Share of draws in which it is answered correctly: fresh ones, since the others chose it as the worst. */
  readonly correct: number;
  /** The same of its pixels rounded to 8 bits, in the same draws. */
  readonly correctRounded: number;
}

/** Every audited image in its worst form, out of the store, and how it is answered once a file of 8 bits has held it. */
export function worstImages(plan: AuditPlan, audit: Audit, split: Split, store: TrialStore): WorstImage[] {
  const data = new TensorSplit(split, plan.subject.model.inputShape);
  const found: WorstImage[] = [];
  try {
    for (let first = 0; first < data.count; first += batchImages) {
      const trials = audit.brokenBy.slice(first, first + batchImages).map((label) => trialOf(audit, label));
      noGrad(() => scope(() => found.push(...worstOfBatch(plan, data, first, trials, store))));
    }
    return found;
  } finally {
    data.dispose();
  }
}

/** The images that begin at `first`, each as the trial in its place showed it. */
function worstOfBatch(
  plan: AuditPlan,
  data: TensorSplit,
  first: number,
  trials: readonly TrialResult[],
  store: TrialStore,
): WorstImage[] {
  const batch = data.range(first, batchImages);
  const shown = batch.images.clone();
  for (const trial of new Set(trials)) copyRows(shown, store.images(trial.trial, first / batchImages), trials, trial);
  const rounded = shown.mul(255).round().div(255);
  const [correct, correctRounded] = [shown, rounded].map((images) => sharesCorrect(plan, { ...batch, images }));
  const [clean, adversarial] = [batch.images, shown].map((images) => images.toArray() as Float32Array);
  const pixels = clean!.length / trials.length;
  const labels = batch.labels.toNumbers();
  return trials.map((trial, i) => ({
    position: first + i,
    label: labels[i]!,
    clean: clean!.slice(i * pixels, (i + 1) * pixels),
    adversarial: adversarial!.slice(i * pixels, (i + 1) * pixels),
    trial,
    correct: correct![i]!,
    correctRounded: correctRounded![i]!,
  }));
}

/** The share of fresh draws in which each image is answered correctly: 0 where the network has no finite answer. */
function sharesCorrect({ subject: { model }, budget, seed }: AuditPlan, { images, labels, imageIds }: Batch) {
  const answers = new Answers(images.shape[0]!, model.randomized ? budget.draws : 1);
  try {
    answers.add(model, images, labels, imageIds, deriveSeed(seed, "worst"), 0, "on the worst images");
  } catch (error) {
    // A line of the checklist says so.
    if (!(error instanceof NotFiniteError)) throw error;
  }
  return answers.shares();
}

function trialOf({ trials }: Audit, label: string): TrialResult {
  return trials.find((trial) => trial.label === label)!;
}

/** Copies the rows of `from` that stand in `trials` under the trial. */
function copyRows(to: Tensor, from: Tensor, trials: readonly TrialResult[], trial: TrialResult): void {
  for (const [i, one] of trials.entries()) if (one === trial) to.select(0, i).copy_(from.select(0, i));
}

/** Of the images that are more often wrong than right, the share that still are once rounded to 8 bits; null without any. */
export function roundingSurvivors(worst: readonly WorstImage[]): number | null {
  const broken = worst.filter(({ correct }) => correct < 0.5);
  if (broken.length === 0) return null;
  return broken.filter(({ correctRounded }) => correctRounded < 0.5).length / broken.length;
}
