import { setImmediate as turn } from "node:timers/promises";
import { type Split, TensorSplit } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import type { Accuracy } from "../../trials/interval.js";
import { playerOf, type Subject } from "../../trials/players.js";
import { runTrialBatch } from "../../trials/run-trial.js";
import { stoppable, stoppables } from "../../trials/stoppable.js";
import type { TrialStore } from "../../trials/store.js";
import { clean, type Trial, trialLabel } from "../../trials/trial.js";
import { joinBatches, type TrialBatch, type TrialResult } from "../../trials/trial-result.js";
import { batchImages } from "./budget.js";
import type { AuditPlan } from "./check.js";
import { checks } from "./checks/index.js";
import { type Audit, accuracyIn, conclude } from "./conclude.js";
import { estimateSeconds } from "./estimate.js";

export type AuditEvent =
  /** The expected time is being worked out: the passes of each attack are counted on a network that costs nothing. */
  | { readonly type: "estimate"; readonly trials: number }
  /** `seconds`: expected for the work that the store does not hold, at most. */
  | { readonly type: "plan"; readonly trials: number; readonly seconds: number }
  /** `done`: of the expected seconds, those of finished work. */
  | { readonly type: "progress"; readonly trial: Trial; readonly done: number; readonly seconds: number }
  | { readonly type: "trial"; readonly result: TrialResult; readonly accuracy: Accuracy }
  | { readonly type: "end"; readonly audit: Audit };

export interface AuditOptions {
  readonly store: TrialStore;
  /** Aborting ends the audit before its next pass with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Images that a pass through the network is timed on. */
const timedImages = 16;

/** Every trial that the claim and the checks need, each once, in the order of the checklist. */
export function trialsOf(plan: AuditPlan): Trial[] {
  const ofChecks = checks.flatMap((check) => check.trials(plan));
  const wanted = [clean, plan.claim, ...ofChecks.flatMap((trial) => (trial.from ? [trial.from, trial] : [trial]))];
  const byLabel = new Map<string, Trial>();
  for (const trial of wanted) {
    const label = trialLabel(trial);
    const known = byLabel.get(label);
    // Where a check needs the claimed attack as well, the check knows what it goes by, and behind which trial it comes.
    if (known === plan.claim) byLabel.delete(label);
    if (!byLabel.has(label)) byLabel.set(label, trial);
  }
  return [...byLabel.values()];
}

/**
 * Audits a network's robustness: runs the trials that the checklist needs and that the store does not hold, and judges.
 *
 * Yields the plan with the expected time, progress after each batch, each trial's outcome, and last the audit. Stopped or
 * killed at any moment it goes on where it was, from the same store. Throws a RangeError when the split is empty, or a
 * randomized network is to answer in fewer than 2 draws.
 */
export async function* audit(given: AuditPlan, split: Split, options: AuditOptions): AsyncGenerator<AuditEvent, void> {
  const { store, signal } = options;
  const plan = { ...given, subject: stoppableSubject(given.subject, signal) };
  const { subject, budget, seed } = plan;
  if (split.count === 0) throw new RangeError("the split must hold at least one image");
  if (subject.model.randomized && budget.draws < 2) {
    throw new RangeError(`budget.draws must be at least 2 for a randomized network, not ${budget.draws}`);
  }
  const data = new TensorSplit(split, subject.model.inputShape);
  const trials = trialsOf(plan);
  const results = new Map<string, TrialResult>();
  const run = (trial: Trial, batch: number): TrialBatch =>
    scope(() => {
      const before = trial.after ?? trial.from;
      const earlier = before && { images: store.images(before, batch), ...shownIn(results, before, batch) };
      const given = { seed, draws: budget.draws, earlier };
      const { record, images } = runTrialBatch(subject, trial, data.range(batch * batchImages, batchImages), given);
      store.write(trial, batch, record, images);
      return record;
    });
  try {
    const kept = new Map(trials.map((trial) => [trial, keptBatches(plan, trial, split.count, store)]));
    yield { type: "estimate", trials: trials.length };
    await turn();
    const { seconds, ofBatch } = scope(() => expectedTime(plan, data, kept, signal));
    yield { type: "plan", trials: trials.length, seconds };
    let done = 0;
    for (const trial of trials) {
      const records: TrialBatch[] = [];
      for (const [batch, known] of kept.get(trial)!.entries()) {
        if (known !== undefined) {
          records.push(known);
          continue;
        }
        await turn();
        signal?.throwIfAborted();
        records.push(run(trial, batch));
        done += ofBatch(trial);
        yield { type: "progress", trial, done, seconds };
      }
      const result = joinBatches(trial, records);
      results.set(result.label, result);
      yield { type: "trial", result, accuracy: accuracyIn(plan, result.answers, result.label, trial.shownTo) };
    }
    yield { type: "end", audit: scope(() => conclude(plan, [...results.values()], data)) };
  } finally {
    data.dispose();
  }
}

function stoppableSubject({ model, transfers }: Subject, signal: AbortSignal | undefined): Subject {
  return { model: stoppable(model, signal), transfers: transfers && stoppables(transfers, signal) };
}

/** For each batch of a trial what the store holds of it. */
type Kept = readonly (TrialBatch | undefined)[];

/** The seconds that all missing batches take at most, and those of a batch of a trial. */
function expectedTime(plan: AuditPlan, data: TensorSplit, kept: ReadonlyMap<Trial, Kept>, signal?: AbortSignal) {
  const missing = [...kept].map(([trial, batches]) => ({ trial, count: batches.filter((one) => !one).length }));
  const unfinished = missing.filter(({ count }) => count > 0);
  const ofImage = estimateSeconds(
    plan,
    data.range(0, timedImages),
    unfinished.map(({ trial }) => trial),
    signal,
  );
  const ofBatch = (trial: Trial) => ofImage.get(trialLabel(trial))! * Math.min(batchImages, data.count);
  return { seconds: unfinished.reduce((sum, { trial, count }) => sum + count * ofBatch(trial), 0), ofBatch };
}

/** What the store holds of a trial. Throws a FileFormatError where that is not of this audit. */
function keptBatches({ subject, budget }: AuditPlan, trial: Trial, images: number, store: TrialStore): Kept {
  const draws = playerOf(subject, trial.shownTo).randomized ? budget.draws : 1;
  return Array.from({ length: Math.ceil(images / batchImages) }, (_, batch) => {
    const count = Math.min(batchImages, images - batch * batchImages);
    return store.read(trial, batch, { count, draws, shape: subject.model.inputShape });
  });
}

/** In how many draws each image of a batch was answered correctly under a trial that has run, and the batch's passes on average. */
function shownIn(results: ReadonlyMap<string, TrialResult>, trial: Trial, batch: number) {
  const { answers, passes } = results.get(trialLabel(trial))!;
  const correct = [...answers.correct.slice(batch * batchImages, (batch + 1) * batchImages)];
  const { forward, backward } = passes;
  return { correct, passes: { forward: forward * correct.length, backward: backward * correct.length } };
}
