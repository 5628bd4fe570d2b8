import type { TensorSplit } from "../../datasets/index.js";
import { clean, hasFailed, runTrials, type TrialOptions } from "../../trials/index.js";
import { checkExpectedClean } from "../expected-clean.js";
import { accuracyIn } from "./conclude.js";
import type { AuditPlan } from "./plan.js";

/**
 * Runs the trial of the clean images before anything else where their accuracy is expected, and compares it.
 * The trial is kept, so that the audit has it afterwards.
 *
 * @throws UnexpectedAccuracyError where it is another
 */
export async function checkCleanFirst(
  plan: AuditPlan,
  data: TensorSplit,
  options: TrialOptions,
  { expected, model }: { readonly expected: number | undefined; readonly model: string },
): Promise<void> {
  if (expected === undefined) return;
  for await (const event of runTrials([clean], data, options)) {
    if (event.type === "progress" || hasFailed(event.outcome)) continue;
    const { trial, answers } = event.outcome;
    const accuracy = accuracyIn(plan, answers, trial.id, trial.shownTo);
    checkExpectedClean(expected, accuracy, { model, images: data.count });
  }
}
