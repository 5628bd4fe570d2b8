import type { Steps } from "../base/index.js";
import type { TensorSplit } from "../datasets/index.js";
import {
  type BatchRecord,
  type FailedTrial,
  hasFailed,
  joinBatches,
  type TrialOutcome,
} from "./batch-record.js";
import { playerOf } from "./players.js";
import { expectedPace, runPlace } from "./run-place.js";
import { placesOf } from "./shard.js";
import { type BatchPlace, type BatchPlan, MemoryStore } from "./store/store.js";
import { clean, type Trial } from "./trial.js";
import type { KeptBatches, TrialOptions } from "./trial-options.js";

export type TrialEvent =
  /** Images that a trial has behind it; `kept` where the store had this batch already. */
  | {
      readonly type: "progress";
      readonly trial: Trial;
      readonly done: number;
      readonly images: number;
      readonly kept: boolean;
    }
  /** End of a trial, or the error that it ended in. */
  | { readonly type: "trial"; readonly outcome: TrialOutcome };

/** Batches of trials that a store holds. FileFormatError where one is not of these trials. */
export function keptBatches(
  trials: readonly Trial[],
  data: TensorSplit,
  {
    players,
    draws,
    batchSize,
    shard,
    store,
  }: Pick<TrialOptions, "players" | "draws" | "batchSize" | "shard" | "store">,
): Map<Trial, KeptBatches> {
  const places = placesOf(data.count, batchSize, shard);
  const read = (trial: Trial) =>
    places.map((place) => store?.read(trial, planOf(trial, place, { players, draws })));
  return new Map(trials.map((trial) => [trial, read(trial)]));
}

/** Plan of a trial's batch. */
function planOf(
  trial: Trial,
  place: BatchPlace,
  { players, draws }: Pick<TrialOptions, "players" | "draws">,
): BatchPlan {
  const { randomized } = playerOf(players, trial.shownTo);
  return { ...place, shape: players.model.inputShape, draws: randomized ? draws : 1 };
}

/**
 * Runs trials in turn, and yields their progress and outcomes. Batches that the store holds are not run
 * again. An error of one attack ends its own trial, and those that continue it; the others go on. That of the
 * clean images is thrown.
 *
 * @param data images on the players' device
 */
export async function* runTrials(
  trials: readonly Trial[],
  data: TensorSplit,
  options: TrialOptions,
): Steps<TrialEvent, readonly TrialOutcome[]> {
  const { batchSize, shard } = options;
  const continues = trials.some(({ after, from }) => (after ?? from) !== undefined);
  const store = options.store ?? (continues ? new MemoryStore() : undefined);
  const kept = options.kept ?? keptBatches(trials, data, { ...options, store });
  const outcomes = new Map<string, TrialOutcome>();
  const recordsOf = new Map<string, readonly BatchRecord[]>();
  const places = placesOf(data.count, batchSize, shard);
  const images = places.reduce((sum, { count }) => sum + count, 0);
  for (const trial of trials) {
    const before = trial.after ?? trial.from;
    const earlier = before && outcomes.get(before.id);
    if (before !== undefined && earlier === undefined)
      throw new Error(`trial ${before.id} must run before ${trial.id}`);
    const records: BatchRecord[] = [];
    let failed: FailedTrial | undefined;
    if (earlier !== undefined && hasFailed(earlier)) failed = { trial, error: earlier.error };
    else yield progressOf(trial, 0, images, false);
    let done = 0;
    for (const [i, place] of places.entries()) {
      if (failed !== undefined) break;
      const known = kept.get(trial)?.[i];
      if (known !== undefined) records.push(known);
      else {
        const runs = runPlace(trial, planOf(trial, place, options), data, {
          ...options,
          store,
          pace: expectedPace(trial, records, recordsOf.get(clean.id)),
          before: before && { trial: before, place, record: recordsOf.get(before.id)![i]! },
        });
        let run = await runs.next();
        for (; run.done !== true; run = await runs.next())
          yield progressOf(trial, done + run.value, images, false);
        if (run.value === undefined) return undefined;
        if ("error" in run.value) failed = { trial, error: run.value.error };
        else records.push(run.value.record);
      }
      done += place.count;
      if (failed === undefined) yield progressOf(trial, done, images, known !== undefined);
    }
    if (failed !== undefined && trial.attack === undefined) throw failed.error;
    const outcome = failed ?? joinBatches(trial, records);
    outcomes.set(trial.id, outcome);
    recordsOf.set(trial.id, records);
    yield { type: "trial", outcome };
  }
  return trials.map(({ id }) => outcomes.get(id)!);
}

function progressOf(trial: Trial, done: number, images: number, kept: boolean): TrialEvent {
  return { type: "progress", trial, done, images, kept };
}
