import { setImmediate as turn } from "node:timers/promises";
import type { SuitePart } from "../attacks/index.js";
import { errorOf, NotFiniteError, type Steps } from "../base/index.js";
import type { TensorSplit } from "../datasets/index.js";
import { scope } from "../engine/index.js";
import {
  type BatchRecord,
  type FailedTrial,
  hasFailed,
  joinBatches,
  type TrialOutcome,
} from "./batch-record.js";
import { type Players, playerOf } from "./players.js";
import { type Earlier, runBatch, type TrialSeeds } from "./run-batch.js";
import { placesOf, type Shard } from "./shard.js";
import { type BatchPlace, type BatchPlan, MemoryStore, type TrialStore } from "./store/store.js";
import type { Trial } from "./trial.js";

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

/** Records of a trial's batches that a store holds, in the batches' order; undefined for the others. */
export type KeptBatches = readonly (BatchRecord | undefined)[];

export interface TrialOptions {
  readonly players: Players;
  /** Draws in which a randomized player answers each image. */
  readonly draws: number;
  readonly seeds: TrialSeeds;
  /** Images attacked together; results do not depend on it. */
  readonly batchSize: number;
  /** Runs every so many batches alone: outcomes are those of their images. All where left out. */
  readonly shard?: Shard | undefined;
  /** Keeps finished batches, and has those of an earlier run. */
  readonly store?: TrialStore | undefined;
  /** Outcome of `keptBatches`, where it is known already. */
  readonly kept?: ReadonlyMap<Trial, KeptBatches> | undefined;
  /** Logits or gradients that are not finite: `count` them as the record's `stop`, or `fail` the trial. */
  readonly notFinite?: "count" | "fail" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onPart?: ((part: SuitePart) => void) | undefined;
}

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
  const { inputShape: shape } = players.model;
  const planOf = (trial: Trial, place: BatchPlace): BatchPlan => {
    return { ...place, shape, draws: playerOf(players, trial.shownTo).randomized ? draws : 1 };
  };
  const places = placesOf(data.count, batchSize, shard);
  return new Map(
    trials.map((trial) => [trial, places.map((place) => store?.read(trial, planOf(trial, place)))]),
  );
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
  const { batchSize, shard, signal } = options;
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
        // Timers and signals get their turn only between batches.
        await turn();
        if (signal?.aborted) return undefined;
        const from = before && { trial: before, record: recordsOf.get(before.id)![i]! };
        const run = scope(() => attemptBatch(trial, place, data, { ...options, store }, from));
        if (signal?.aborted && "error" in run) return undefined;
        if ("error" in run) failed = { trial, error: run.error };
        else records.push(run.record);
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

/** Runs a batch and keeps it. An error of the attack is returned, one of the store is thrown. */
function attemptBatch(
  trial: Trial,
  place: BatchPlace,
  data: TensorSplit,
  { store, notFinite = "count", ...options }: TrialOptions,
  before: BatchBefore | undefined,
): { readonly record: BatchRecord } | { readonly error: Error } {
  const batch = data.range(place.first, place.count);
  const earlier = before && earlierOf(before, place, store!, batch.images.device);
  let run: ReturnType<typeof runBatch>;
  try {
    run = runBatch(trial, batch, { ...options, earlier });
  } catch (error) {
    return { error: errorOf(error) };
  }
  const { stop } = run.record;
  if (stop !== undefined && notFinite === "fail")
    return { error: new NotFiniteError(stop.what, stop.message) };
  store?.write(trial, place, run.record, run.images);
  return { record: run.record };
}

/** The same batch in the trial before. */
interface BatchBefore {
  readonly trial: Trial;
  readonly record: BatchRecord;
}

function earlierOf(
  { trial, record }: BatchBefore,
  place: BatchPlace,
  store: TrialStore,
  device: string,
): Earlier {
  return {
    images: store.images(trial, place).to({ device }),
    correct: record.even.map((count, i) => count + record.odd[i]!),
    passes: record.passes,
    stop: record.stop,
  };
}
