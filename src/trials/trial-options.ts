import type { SuitePart } from "../attacks/index.js";
import type { BatchRecord } from "./batch-record.js";
import type { Players } from "./players.js";
import type { TrialSeeds } from "./run-batch.js";
import type { Shard } from "./shard.js";
import type { TrialStore } from "./store/store.js";
import type { Trial } from "./trial.js";

/** Records of a trial's batches that a store holds, in the batches' order; undefined for the others. */
export type KeptBatches = readonly (BatchRecord | undefined)[];

export interface TrialOptions {
  readonly players: Players;
  /** Draws in which a randomized player answers each image. */
  readonly draws: number;
  readonly seeds: TrialSeeds;
  /** Images attacked together, or less where they would take long; results do not depend on it. */
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
