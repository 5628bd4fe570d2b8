import type { Norm, PassCounter } from "../attacks/index.js";
import { Answers } from "./counts/answers.js";
import type { Player } from "./players.js";
import type { Trial } from "./trial.js";

/** Numbers that were not finite, by which a trial was stopped. */
export interface Stop {
  readonly what: "logits" | "gradients";
  readonly message: string;
  /** Player whose numbers they are. */
  readonly player: Player;
}

/** Outcome of a trial on a batch of images: numbers alone, which are kept as JSON. */
export interface BatchRecord {
  readonly count: number;
  /** Correct answers to each image in the even draws and in the odd ones. */
  readonly even: readonly number[];
  readonly odd: readonly number[];
  /** 1 where the vote of all draws was correct, of the even ones, of the odd ones. */
  readonly majority: readonly number[];
  readonly evenVote: readonly number[];
  readonly oddVote: readonly number[];
  readonly draws: number;
  /** Length of each perturbation in the attack's norm; in l-infinity where it has none. */
  readonly lengths: readonly number[];
  readonly norm: Norm;
  readonly passes: PassCounter;
  readonly seconds: number;
  /** Fault by which the attack gave no images, or the player no answers, which then count as wrong. */
  readonly stop?: Stop | undefined;
}

/** Outcome of a whole trial. */
export interface TrialResult {
  readonly trial: Trial;
  readonly answers: Answers;
  readonly lengths: readonly number[];
  readonly norm: Norm;
  /** Passes of an image through the attacked player, the mean over images. */
  readonly passes: PassCounter;
  readonly seconds: number;
  /** Those of the batches that have one. */
  readonly stops: readonly Stop[];
}

/** Trial that ended in an error, such as that of an attack which left its ball. */
export interface FailedTrial {
  readonly trial: Trial;
  readonly error: Error;
}

export type TrialOutcome = TrialResult | FailedTrial;

/** Tells a trial that ended in an error. */
export function hasFailed(outcome: TrialOutcome): outcome is FailedTrial {
  return "error" in outcome;
}

/** Part of a batch's record that holds its answers. */
export function recordedAnswers(answers: Answers) {
  const [even, odd] = answers.halves;
  const [evenVote, oddVote] = answers.votes;
  return {
    count: answers.images,
    even: [...even],
    odd: [...odd],
    majority: [...answers.majority],
    evenVote: [...evenVote],
    oddVote: [...oddVote],
    draws: answers.draws,
  };
}

/** One record of consecutive batches of a trial; of their faults, the first. */
export function joinRecords(batches: readonly BatchRecord[]): BatchRecord {
  const all = (part: (batch: BatchRecord) => readonly number[]) => batches.flatMap(part);
  const sum = (part: (batch: BatchRecord) => number) => batches.reduce((total, b) => total + part(b), 0);
  const { draws, norm } = batches[0]!;
  const stop = batches.find((batch) => batch.stop !== undefined)?.stop;
  return {
    count: sum(({ count }) => count),
    even: all(({ even }) => even),
    odd: all(({ odd }) => odd),
    majority: all(({ majority }) => majority),
    evenVote: all(({ evenVote }) => evenVote),
    oddVote: all(({ oddVote }) => oddVote),
    draws,
    lengths: all(({ lengths }) => lengths),
    norm,
    passes: { forward: sum(({ passes }) => passes.forward), backward: sum(({ passes }) => passes.backward) },
    seconds: sum(({ seconds }) => seconds),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** Outcome of a trial from the records of its batches, in order. */
export function joinBatches(trial: Trial, batches: readonly BatchRecord[]): TrialResult {
  const joined = joinRecords(batches);
  const { count, draws, lengths, norm, passes, seconds } = joined;
  const answers = new Answers(count, draws);
  answers.halves[0].set(joined.even);
  answers.halves[1].set(joined.odd);
  answers.majority.set(joined.majority);
  answers.votes[0].set(joined.evenVote);
  answers.votes[1].set(joined.oddVote);
  return {
    trial,
    answers,
    lengths,
    norm,
    passes: { forward: passes.forward / count, backward: passes.backward / count },
    seconds,
    stops: batches.flatMap(({ stop }) => (stop === undefined ? [] : [stop])),
  };
}
