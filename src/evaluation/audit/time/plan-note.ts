import { isObject } from "../../../base/index.js";
import type { TensorSplit } from "../../../datasets/index.js";
import { type Trial, type TrialStore, trialLabels } from "../../../trials/index.js";
import { inBall } from "../conclude.js";
import type { AuditPlan } from "../plan.js";

/** Name of the store's note. */
const note = "plan";

/**
 * Keeps the work ahead in the store, under "plan", for those who watch: trials in order, which of them count
 * in the worst case, and the seconds that a batch of each takes; 0 where they are not known.
 */
export function notePlan(
  store: TrialStore,
  plan: AuditPlan,
  trials: readonly Trial[],
  { count }: TensorSplit,
  batchSize: number,
  seconds: (trial: Trial) => number = () => 0,
): void {
  const labels = trialLabels(trials);
  const ahead = trials.map((trial, i) => ({
    id: trial.id,
    label: labels[i]!,
    inBall: inBall(plan, trial),
    batchSeconds: seconds(trial),
  }));
  store.writeNote(note, { images: count, batchSize, trials: ahead });
}

/** Tells whether the store holds the plan of these batches already, as by another shard. */
export function hasPlan(store: TrialStore, batchSize: number): boolean {
  const known = store.readNote(note);
  return isObject(known) && known.batchSize === batchSize;
}
