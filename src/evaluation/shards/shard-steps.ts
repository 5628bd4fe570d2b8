import type { Steps } from "../../base/index.js";
import type { TensorSplit } from "../../datasets/index.js";
import {
  hasFailed,
  placesOf,
  runTrials,
  type Trial,
  type TrialOptions,
  type TrialOutcome,
  trialLabels,
} from "../../trials/index.js";

/** All that decides the numbers of a shard beside its place, by names that messages use. */
export type ShardFacts = Readonly<Record<string, string | number>>;

/** Subject of a shard, known before its work begins. */
export interface ShardSubject {
  /** Name of the audit or evaluation that it is a part of. */
  readonly id: string;
  /** Folder that keeps its trials. */
  readonly folder: string;
  readonly facts: ShardFacts;
}

export type ShardEvent =
  | ({ readonly type: "shard"; readonly images: number; readonly trials: number } & ShardSubject)
  /** `attack`: its label; `done`: images that all trials together have behind them, of `total`. */
  | {
      readonly type: "progress";
      readonly attack: string;
      readonly done: number;
      readonly total: number;
    }
  /** End of an attack on the shard's images, with the worst case over those so far where it is watched. */
  | {
      readonly type: "attack";
      readonly label: string;
      readonly images: number;
      /** Undefined where it ended in an error. */
      readonly accuracy: number | undefined;
      readonly worst: number | undefined;
    };

/** Trial of a shard that ended in an error. */
export interface ShardFailure {
  readonly trial: string;
  readonly error: string;
}

/** Outcome of a shard: its numbers are in its folder. */
export interface ShardResult extends ShardSubject {
  readonly failed: readonly ShardFailure[];
}

/**
 * Runs trials on the batches of a shard.
 *
 * @param worstSoFar is told each outcome, and answers with the worst case
 */
export async function* shardSteps(
  subject: ShardSubject,
  trials: readonly Trial[],
  data: TensorSplit,
  given: TrialOptions,
  worstSoFar: (outcome: TrialOutcome) => number | undefined = () => undefined,
): Steps<ShardEvent, ShardResult> {
  const places = placesOf(data.count, given.batchSize, given.shard);
  const images = places.reduce((sum, { count }) => sum + count, 0);
  yield { type: "shard", images, trials: trials.length, ...subject };
  const failed: ShardFailure[] = [];
  const labels = trialLabels(trials);
  let ended = 0;
  for await (const event of runTrials(trials, data, given)) {
    if (event.type === "trial") {
      ended++;
      const { outcome } = event;
      const hasEnded = hasFailed(outcome);
      if (hasEnded) failed.push({ trial: outcome.trial.id, error: outcome.error.message });
      const accuracy = hasEnded ? undefined : outcome.answers.mean();
      const label = labels[ended - 1]!;
      yield { type: "attack", label, images, accuracy, worst: worstSoFar(outcome) };
      continue;
    }
    const attack = labels[ended]!;
    yield { type: "progress", attack, done: ended * images + event.done, total: trials.length * images };
  }
  if (ended < trials.length) return undefined;
  return { ...subject, failed };
}
