import { type Split, TensorSplit } from "../../datasets/index.js";
import { deriveSeed, NotFiniteError, noGrad, scope, type Tensor } from "../../engine/index.js";
import { Answers } from "../answers.js";
import type { Audit } from "./audit.js";
import { batchImages } from "./budget.js";
import type { AuditPlan } from "./check.js";
import type { TrialStore } from "./store.js";
import type { TrialResult } from "./trial-result.js";

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
  const { model } = plan.subject;
  const found: WorstImage[] = [];
  try {
    for (let first = 0; first < data.count; first += batchImages) {
      noGrad(() =>
        scope(() => {
          const { images, labels, imageIds } = data.range(first, batchImages);
          const count = images.shape[0]!;
          const trials = audit.brokenBy.slice(first, first + count).map((label) => trialOf(audit, label));
          const shown = images.clone();
          for (const trial of new Set(trials))
            copyRows(shown, store.images(trial.trial, first / batchImages), trials, trial);
          const rounded = shown.mul(255).round().div(255);
          const [correct, correctRounded] = [shown, rounded].map((batch) => {
            const answers = new Answers(count, model.randomized ? plan.budget.draws : 1);
            try {
              answers.add(model, batch, labels, imageIds, deriveSeed(plan.seed, "worst"), 0, "on the worst images");
            } catch (error) {
              // No answer is a wrong one; a line of the checklist says so.
              if (!(error instanceof NotFiniteError)) throw error;
            }
            return answers.shares();
          });
          const [clean, adversarial] = [images, shown].map((batch) => batch.toArray() as Float32Array);
          const pixels = clean!.length / count;
          const ofLabels = labels.toNumbers();
          trials.forEach((trial, i) => {
            found.push({
              position: first + i,
              label: ofLabels[i]!,
              clean: clean!.slice(i * pixels, (i + 1) * pixels),
              adversarial: adversarial!.slice(i * pixels, (i + 1) * pixels),
              trial,
              correct: correct![i]!,
              correctRounded: correctRounded![i]!,
            });
          });
        }),
      );
    }
    return found;
  } finally {
    data.dispose();
  }
}

function trialOf({ trials }: Audit, label: string): TrialResult {
  return trials.find((trial) => trial.label === label)!;
}

/** Copies the rows of `from` that stand in `trials` under the trial. */
function copyRows(to: Tensor, from: Tensor, trials: readonly TrialResult[], trial: TrialResult): void {
  for (const [i, one] of trials.entries()) if (one === trial) to.select(0, i).copy_(from.select(0, i));
}
