import { setImmediate as turn } from "node:timers/promises";
import type { TensorSplit } from "../../../datasets/index.js";
import { scope } from "../../../engine/index.js";
import type { KeptBatches, Trial, TrialOptions, TrialStore } from "../../../trials/index.js";
import type { AuditPlan } from "../plan.js";
import { countPasses, estimateSeconds } from "./estimate.js";

/** Images that a model is timed on. */
const timedImages = 16;

/** Expected time of the work that a store does not hold. */
export interface ExpectedTime {
  /** Seconds of all of it at most. */
  readonly seconds: number;
  /** Seconds of a batch of a trial. */
  ofBatch(trial: Trial): number;
}

/** Seconds that all missing batches take at most, and those of a batch of a trial. */
export async function expectedTime(
  plan: AuditPlan,
  data: TensorSplit,
  kept: ReadonlyMap<Trial, KeptBatches>,
  { batchSize, signal, store }: Pick<TrialOptions, "batchSize" | "signal"> & { readonly store: TrialStore },
): Promise<ExpectedTime> {
  const missing = [...kept].map(([trial, batches]) => ({
    trial,
    count: batches.filter((one) => !one).length,
  }));
  const unfinished = missing.filter(({ count }) => count > 0);
  const trials = unfinished.map(({ trial }) => trial);
  const counting = countPasses(plan, data, trials, store, signal);
  let step = counting.next();
  while (step.done !== true) {
    await turn();
    if (signal?.aborted) return { seconds: 0, ofBatch: () => 0 };
    step = counting.next();
  }
  const passes = step.value;
  const ofImage = scope(() => estimateSeconds(plan, data.range(0, timedImages), trials, passes));
  const ofBatch = (trial: Trial) => (ofImage.get(trial.id) ?? 0) * Math.min(batchSize, data.count);
  return { seconds: unfinished.reduce((sum, { trial, count }) => sum + count * ofBatch(trial), 0), ofBatch };
}
