import type { Norm, PassCounter } from "../attacks/index.js";
import { Answers } from "./answers.js";
import type { Player } from "./players.js";
import { type Trial, trialLabel } from "./trial.js";

/** Why a trial came to no end: what of the network was not finite, and the error's message. */
export interface Stop {
  readonly what: "logits" | "gradients";
  readonly message: string;
  /** Whose numbers they are; of what an earlier version kept, the attacked network's. */
  readonly player?: Player | undefined;
}

/** What came of a trial on a batch of images: all of it numbers, kept as JSON. */
export interface TrialBatch {
  readonly count: number;
  /** Correct answers of each image in the even draws and in the odd ones. */
  readonly even: readonly number[];
  readonly odd: readonly number[];
  /** 1 where the vote of all draws was right, of the even ones, of the odd ones. */
  readonly majority: readonly number[];
  readonly evenVote: readonly number[];
  readonly oddVote: readonly number[];
  readonly draws: number;
  /** Length of each perturbation in the attack's norm; l-infinity where it has none. */
  readonly lengths: readonly number[];
  readonly norm: Norm;
  readonly passes: PassCounter;
  readonly seconds: number;
  /** Where it stands, the attack gave nothing, or the network no answers, which then count as wrong. */
  readonly stop?: Stop | undefined;
}

/** The outcome of a whole trial. */
export interface TrialResult {
  readonly trial: Trial;
  readonly label: string;
  readonly answers: Answers;
  readonly lengths: readonly number[];
  readonly norm: Norm;
  /** Passes of an image through the attacked network, the mean over images. */
  readonly passes: PassCounter;
  readonly seconds: number;
  /** Those of the batches that have one. */
  readonly stops: readonly (Stop & { readonly player: Player })[];
}

/** What a batch keeps of its answers. */
export function keptAnswers(answers: Answers) {
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

/** The outcome of a trial out of its batches, in order. */
export function joinBatches(trial: Trial, batches: readonly TrialBatch[]): TrialResult {
  const images = batches.reduce((sum, batch) => sum + batch.count, 0);
  const { draws, norm } = batches[0]!;
  const answers = new Answers(images, draws);
  const all = (part: (batch: TrialBatch) => readonly number[]) => batches.flatMap(part);
  answers.halves[0].set(all(({ even }) => even));
  answers.halves[1].set(all(({ odd }) => odd));
  answers.majority.set(all(({ majority }) => majority));
  answers.votes[0].set(all(({ evenVote }) => evenVote));
  answers.votes[1].set(all(({ oddVote }) => oddVote));
  const mean = (count: (batch: TrialBatch) => number) => batches.reduce((sum, b) => sum + count(b), 0) / images;
  return {
    trial,
    label: trialLabel(trial),
    answers,
    lengths: all(({ lengths }) => lengths),
    norm,
    passes: { forward: mean(({ passes }) => passes.forward), backward: mean(({ passes }) => passes.backward) },
    seconds: batches.reduce((sum, { seconds }) => sum + seconds, 0),
    stops: batches.flatMap(({ stop }) => (stop === undefined ? [] : [{ ...stop, player: stop.player ?? trial.on }])),
  };
}
