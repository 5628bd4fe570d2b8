import { type Steps, Work } from "../../base/index.js";
import { scope } from "../../engine/index.js";
import {
  type Accuracy,
  type Attackable,
  hasFailed,
  type ImageSource,
  keptBatches,
  runTrials,
  type Trial,
  type TrialOutcome,
} from "../../trials/index.js";
import { checkCleanFirst } from "./clean-first.js";
import { accuracyIn, conclude } from "./conclude.js";
import { countKept, writeCriterion } from "./criterion/criterion.js";
import type { AuditOptions } from "./options.js";
import { type AuditParts, withSubject } from "./parts.js";
import type { AuditPlan } from "./plan.js";
import { type Report, reportOf } from "./report/report.js";
import { AuditLog } from "./report/tensorboard.js";
import { expectedTime } from "./time/expected-time.js";
import { notePlan } from "./time/plan-note.js";
import { worstWatch } from "./time/worst-watch.js";
import { worstImages } from "./worst-images.js";

/** Event of an audit under way. */
export type AuditEvent =
  /**
   * The expected time is being worked out: passes of each attack are counted on a classifier that costs
   * nothing. `folder`: where trials are kept, undefined in memory.
   */
  | { readonly type: "estimate"; readonly trials: number; readonly folder?: string | undefined }
  /** `seconds`: at most, for the work that is not kept; `folder` as before. */
  | {
      readonly type: "plan";
      readonly trials: number;
      readonly seconds: number;
      readonly folder?: string | undefined;
    }
  /** `done`: seconds of the expected ones that finished work stands for. */
  | { readonly type: "progress"; readonly trial: Trial; readonly done: number; readonly seconds: number }
  /**
   * End of a trial, with its accuracy unless it ended in an error, and the worst case over the trials so far.
   */
  | {
      readonly type: "trial";
      readonly outcome: TrialOutcome;
      readonly accuracy?: Accuracy;
      readonly worst?: number | undefined;
    };

/**
 * Audits a model's robustness: runs the trials that the checklist needs, judges each check, and concludes.
 *
 * Stopped or killed at any moment it continues behind the last finished batch, where a folder or a store
 * keeps the trials. An attack that ends in an error skips the checks that need it; a check that does is
 * skipped itself. Either leaves an audit that finds no fault inconclusive.
 *
 * @param model a model, an architecture (built with seed 0) or a classifier
 * @param images a split such as `mnist().test`, or a data set, which means its test split
 * @throws TypeError or RangeError, before anything runs, for options that do not fit each other, the model or
 *   the images
 * @example
 * const report = await audit(model, mnist().test, { epsilon: 0.3, budget: "quick", limit: 50 });
 * console.log(report.verdict.text);
 * await report.write("audit");
 */
export function audit(
  model: Attackable,
  images: ImageSource,
  options: AuditOptions,
): Work<AuditEvent, Report> {
  return new Work(
    (signal) => withSubject(model, images, options, signal, (parts) => auditSteps(parts, options, signal)),
    options?.signal,
  );
}

/** Runs the trials of opened parts that are not kept yet, judges, and makes the report. */
export async function* auditSteps(
  parts: AuditParts,
  options: AuditOptions,
  signal: AbortSignal,
): Steps<AuditEvent, Report> {
  const { subject, plan, id, folder, trials, given, shards } = parts;
  const { settings, data } = subject;
  const { store, batchSize } = given;
  const { claim } = plan;
  await checkCleanFirst(plan, data, given, { expected: options.expectClean, model: subject.opened.name });
  if (signal.aborted) return undefined;
  const kept = keptBatches(trials, data, given);
  const known = countKept(kept);
  const criteria =
    settings.require === undefined
      ? { criterion: undefined, others: [] }
      : writeCriterion(store, settings.require, known);
  const startedAt = new Date().toISOString();
  yield { type: "estimate", trials: trials.length, folder };
  const time = await expectedTime(plan, data, kept, { ...given, store });
  if (signal.aborted) return undefined;
  notePlan(store, plan, trials, data, batchSize, time.ofBatch);
  yield { type: "plan", trials: trials.length, seconds: time.seconds, folder };
  const log = folder === undefined || options.tensorboard === false ? undefined : new AuditLog(folder, plan);
  const worstSoFar = worstWatch(plan);
  let done = 0;
  const outcomes: TrialOutcome[] = [];
  for await (const event of runTrials(trials, data, { ...given, kept })) {
    if (event.type === "progress") {
      if (event.kept || event.done === 0) continue;
      done += time.ofBatch(event.trial);
      yield { type: "progress", trial: event.trial, done, seconds: time.seconds };
      continue;
    }
    const { outcome } = event;
    outcomes.push(outcome);
    const worst = worstSoFar(outcome);
    log?.trial(outcome, worst);
    if (!hasFailed(outcome))
      yield { type: "trial", outcome, accuracy: accuracyOfTrial(plan, outcome), worst };
    else if (outcome.trial.id === claim.id) throw claimError(outcome.error, claim);
    else yield { type: "trial", outcome, worst };
  }
  if (outcomes.length < trials.length) return undefined;
  const named = { model: subject.opened.name, resolution: settings.resolution, store };
  const conclusion = scope(() => conclude(plan, outcomes, data, named, signal));
  const { forms: worst, images } = worstImages(plan, conclusion.brokenBy, data, store, batchSize);
  const report = reportOf({
    conclusion,
    plan,
    worst,
    images,
    subject,
    id,
    folder,
    criteria,
    startedAt,
    shards,
  });
  log?.end(report);
  return report;
}

function accuracyOfTrial(
  plan: AuditPlan,
  { trial, answers }: Exclude<TrialOutcome, { error: Error }>,
): Accuracy {
  return accuracyIn(plan, answers, trial.id, trial.shownTo);
}

/** Error of an audit whose claimed attack failed: without it there is nothing to judge. */
function claimError(error: Error, claim: Trial): Error {
  return new Error(
    `the claimed attack ended in an error, so there is no claim to audit: ${claim.id}: ${error.message}`,
    { cause: error },
  );
}
