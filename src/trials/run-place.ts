import { setImmediate as turn } from "node:timers/promises";
import { errorOf, NotFiniteError } from "../base/index.js";
import type { TensorSplit } from "../datasets/index.js";
import { operators, scope, type Tensor } from "../engine/index.js";
import { type BatchRecord, joinRecords } from "./batch-record.js";
import { type Earlier, runBatch } from "./run-batch.js";
import type { BatchPlace, BatchPlan, TrialStore } from "./store/store.js";
import type { Trial } from "./trial.js";
import type { TrialOptions } from "./trial-options.js";

/** Record of a batch, the error that its attack ended in, or undefined where the signal stopped it. */
export type PlaceRun = { readonly record: BatchRecord } | { readonly error: Error } | undefined;

/** A batch in the trial before. */
export interface BatchBefore {
  readonly trial: Trial;
  readonly place: BatchPlace;
  readonly record: BatchRecord;
}

export interface PlaceOptions extends TrialOptions {
  /** Seconds that an image is expected to take, before any of the batch has been attacked. */
  readonly pace: number;
  readonly before: BatchBefore | undefined;
}

/** Seconds of a slice, which are lost where a process is killed. */
const sliceSeconds = 600;
/** Fewer images at a time are not worth their overhead. */
const fewest = 25;
/** Passes of an image under AutoAttack on a randomized model, one by gradients counted as three. */
const longPasses = 50_000;

/** Images that are attacked together, where one takes so many seconds. */
export function sliceSize(pace: number): number {
  return Math.max(fewest, Math.floor(sliceSeconds / pace));
}

/**
 * Seconds that an image of a trial is expected to take: as those of its earlier batches did; in the first as
 * under the longest attack, by the pace of the passes on clean images. 0 where nothing is known of these, or
 * images are only answered.
 */
export function expectedPace(
  { attack, from }: Trial,
  earlier: readonly BatchRecord[],
  cleanBatches: readonly BatchRecord[] = [],
): number {
  // Those of `from` are found already.
  if (attack === undefined || from !== undefined) return 0;
  if (earlier.length > 0) return paceOf(earlier);
  return cleanBatches.length > 0 ? (longPasses * paceOf(cleanBatches)) / cleanBatches[0]!.draws : 0;
}

function paceOf(records: readonly BatchRecord[]): number {
  const { seconds, count } = joinRecords(records);
  return seconds / count;
}

/**
 * Runs a trial on a batch, in slices where it would take long, and yields the number of images done. Slices
 * are kept until the whole batch is, so that a stopped trial goes on behind the last one.
 */
export async function* runPlace(
  trial: Trial,
  plan: BatchPlan,
  data: TensorSplit,
  options: PlaceOptions,
): AsyncGenerator<number, PlaceRun> {
  const { store, signal, before } = options;
  const end = plan.first + plan.count;
  const slices: BatchPlace[] = [];
  const records: BatchRecord[] = [];
  for (let first = plan.first; first < end; first = plan.first + countOf(slices)) {
    const held = store && heldFrom(store, trial, first, end);
    const size = store && sliceSize(records.length === 0 ? options.pace : paceOf(records));
    const slice = held ?? { first, count: Math.min(size ?? plan.count, end - first) };
    let record = held && store.read(trial, { ...plan, ...held });
    if (record === undefined) {
      // Timers and signals get their turn only between slices.
      await turn();
      if (signal?.aborted) return undefined;
      const run = scope(() => attemptSlice(trial, slice, data, options, before));
      if ("error" in run) return signal?.aborted ? undefined : run;
      record = run.record;
    }
    slices.push(slice);
    records.push(record);
    if (first + slice.count < end) yield countOf(slices);
  }
  if (records.length === 1) return { record: records[0]! };
  return { record: joinSlices(trial, plan, store!, slices, records) };
}

const countOf = (slices: readonly BatchPlace[]) => slices.reduce((sum, { count }) => sum + count, 0);

/** Longest kept slice from an image on. */
function heldFrom(store: TrialStore, trial: Trial, first: number, end: number): BatchPlace | undefined {
  for (let count = end - first; count > 0; count--)
    if (store.has(trial, { first, count })) return { first, count };
  return undefined;
}

/** Keeps the slices of a batch as the batch. */
function joinSlices(
  trial: Trial,
  place: BatchPlace,
  store: TrialStore,
  slices: readonly BatchPlace[],
  records: readonly BatchRecord[],
): BatchRecord {
  const record = joinRecords(records);
  scope(() => {
    const parts = store.keepsImages ? slices.map((slice) => store.images(trial, slice)) : undefined;
    store.write(trial, place, record, parts && operators.cat(parts, 0));
  });
  for (const slice of slices) store.remove(trial, slice);
  return record;
}

/** Runs a slice and keeps it. An error of the attack is returned, one of the store is thrown. */
function attemptSlice(
  trial: Trial,
  slice: BatchPlace,
  data: TensorSplit,
  { store, notFinite = "count", ...options }: PlaceOptions,
  before: BatchBefore | undefined,
): { readonly record: BatchRecord } | { readonly error: Error } {
  const batch = data.range(slice.first, slice.count);
  const earlier = before && earlierOf(before, slice, store!, batch.images);
  let run: ReturnType<typeof runBatch>;
  try {
    run = runBatch(trial, batch, { ...options, earlier });
  } catch (error) {
    return { error: errorOf(error) };
  }
  const { stop } = run.record;
  if (stop !== undefined && notFinite === "fail")
    return { error: new NotFiniteError(stop.what, stop.message) };
  store?.write(trial, slice, run.record, run.images);
  return { record: run.record };
}

/** Outcome of the trial before on a slice. */
function earlierOf(
  { trial, place, record }: BatchBefore,
  { first, count }: BatchPlace,
  store: TrialStore,
  { device }: Tensor,
): Earlier {
  const begin = first - place.first;
  const correct = record.even.map((even, i) => even + record.odd[i]!);
  return {
    images: store
      .images(trial, place)
      .slice(0, begin, begin + count)
      .to({ device }),
    correct: correct.slice(begin, begin + count),
    passes: record.passes,
    stop: record.stop,
  };
}
