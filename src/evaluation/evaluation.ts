import type { Norm, PassCounter } from "../attacks/index.js";
import { deriveSeed, type Seed } from "../base/index.js";
import {
  type Accuracy,
  type Answers,
  accuracyOf,
  type Counts,
  everyDrawOf,
  type FailedTrial,
  type Flag,
  hasFailed,
  majorityOf,
  rowsWithin,
  type TrialOutcome,
  type TrialResult,
  worstOf,
} from "../trials/index.js";

/** Other readings of a randomized model's answers than the accuracy of one draw. */
export interface VoteEvaluation {
  /** Accuracy of the majority of all draws; a tie is wrong. */
  readonly majority: Accuracy;
  /** Share of images correct in every draw: the accuracy against an attacker who may ask that often. */
  readonly everyDraw: Accuracy;
}

/** Accuracy on clean images. */
export interface CleanEvaluation extends Accuracy {
  /** Undefined for a deterministic model. */
  readonly votes?: VoteEvaluation;
  /** Share of draws in which each image was answered correctly. */
  readonly perImage: Float32Array;
}

/** Lengths of the perturbations that fool a model. */
export interface Distances {
  readonly norm: Norm;
  /** Images behind the figures: correct as they are, and wrong (by the vote of all draws) under attack. */
  readonly images: number;
  readonly median: number;
  readonly mean: number;
}

/** Robust accuracy under one attack. */
export interface AttackEvaluation {
  /** The attack as text. */
  readonly attack: string;
  /** NaN, as are the ends of its interval, where the attack ended in an error. */
  readonly robustAccuracy: number;
  readonly low: number;
  readonly high: number;
  /** Undefined for a deterministic model. */
  readonly votes?: VoteEvaluation;
  /** Of an attack that minimizes a distance; undefined where it fooled the model on no image. */
  readonly distances?: Distances;
  /** Passes of an image through the attacked model, the mean over images; the answers are not among them. */
  readonly passes: PassCounter;
  /** Time of the attack and of the answers. */
  readonly seconds: number;
  /** Share of fresh draws in which each image was answered correctly. */
  readonly perImage: Float32Array;
  /** Message of the error that the attack ended in. */
  readonly error?: string;
}

/** Worst case of each image over all attacks within one norm and radius. */
export interface WorstCase extends Accuracy {
  readonly norm: Norm;
  readonly radius: number;
  /** Attacks that it rests on: those of a radius as small, and minimized perturbations that lie within it. */
  readonly attacks: number;
}

export interface Evaluation {
  /** Name of the model. */
  readonly model: string;
  readonly images: number;
  /** Fresh draws of the model's noise in which each image was answered. */
  readonly draws: number;
  readonly clean: CleanEvaluation;
  /** In the order in which the attacks were given. */
  readonly attacks: readonly AttackEvaluation[];
  /**
   * One for each norm and radius of the attacks; none for a randomized model that answered in a single draw.
   */
  readonly worstCases: readonly WorstCase[];
  readonly flags: readonly Flag[];
}

const noWorstCase: Flag = {
  kind: "no-worst-case",
  message: "no worst case is reported: that of a randomized model takes at least 2 draws (--draws)",
};

/** Turns outcomes of trials into accuracies with intervals. */
export class Summary {
  constructor(
    readonly randomized: boolean,
    /** Seed of the bootstrap. */
    readonly seed: Seed,
  ) {}

  #accuracy(answers: Counts, name: string): Accuracy {
    return accuracyOf(answers, this.randomized, deriveSeed(this.seed, name));
  }

  #votes(answers: Answers): { votes?: VoteEvaluation } {
    if (!this.randomized) return {};
    return { votes: { majority: majorityOf(answers), everyDraw: everyDrawOf(answers) } };
  }

  clean({ trial, answers }: TrialResult): CleanEvaluation {
    return { ...this.#accuracy(answers, trial.id), ...this.#votes(answers), perImage: answers.shares() };
  }

  attack(outcome: TrialOutcome, clean: TrialResult): AttackEvaluation {
    if (hasFailed(outcome)) return failedRow(outcome);
    const { trial, answers, passes, seconds } = outcome;
    const { accuracy: robustAccuracy, low, high } = this.#accuracy(answers, trial.id);
    const distances = trial.attack!.traits.radius === undefined ? distancesOf(outcome, clean) : undefined;
    return {
      attack: String(trial.attack),
      robustAccuracy,
      low,
      high,
      ...this.#votes(answers),
      ...(distances && { distances }),
      passes,
      seconds,
      perImage: answers.shares(),
    };
  }

  /** Worst cases, from the smallest radius of each norm to the largest. */
  worstCases(results: readonly TrialResult[], clean: TrialResult): WorstCase[] {
    if (this.randomized && clean.answers.draws === 1) return [];
    const balls = new Map<string, { norm: Norm; radius: number }>();
    for (const { trial } of results) {
      const { norm, radius } = trial.attack!.traits;
      if (norm !== "none" && radius !== undefined) balls.set(`${norm} ${radius}`, { norm, radius });
    }
    const order = [...balls.values()].sort((a, b) => a.norm.localeCompare(b.norm) || a.radius - b.radius);
    return order.map((ball) => {
      const attacked = rowsWithin(results, clean.answers, ball);
      const worst = worstOf([clean.answers, ...attacked], this.randomized);
      const name = `worst case ${ball.norm} ${ball.radius}`;
      return { ...ball, attacks: attacked.length, ...this.#accuracy(worst, name) };
    });
  }

  /** Flag of an evaluation that reports no worst case though it has attacks. */
  flags(results: readonly TrialResult[], { answers }: TrialResult): Flag[] {
    return results.length > 0 && this.randomized && answers.draws === 1 ? [noWorstCase] : [];
  }
}

function failedRow({ trial, error }: FailedTrial): AttackEvaluation {
  const none = Number.NaN;
  return {
    attack: String(trial.attack),
    robustAccuracy: none,
    low: none,
    high: none,
    passes: { forward: none, backward: none },
    seconds: none,
    perImage: new Float32Array(),
    error: error.message,
  };
}

function distancesOf({ answers, lengths, norm }: TrialResult, clean: TrialResult): Distances | undefined {
  const fooled = lengths.filter((_, i) => clean.answers.majority[i] === 1 && answers.majority[i] === 0);
  if (fooled.length === 0) return undefined;
  const sorted = [...fooled].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return {
    norm,
    images: fooled.length,
    median,
    mean: fooled.reduce((sum, length) => sum + length, 0) / fooled.length,
  };
}
