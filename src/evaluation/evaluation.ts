import type { PassCounter } from "../attacks/index.js";
import { deriveSeed, type Seed } from "../base/index.js";
import { type Answers, accuracyOf, type Counts, everyDrawOf, majorityOf } from "../trials/answers.js";
import type { Flag } from "../trials/flags.js";
import type { Accuracy } from "../trials/interval.js";
import { worstOf } from "../trials/worst-of.js";

/** Other readings of a randomized network's answers than the accuracy of one draw. */
export interface VoteEvaluation {
  /** Accuracy of the majority of all draws; a tie is wrong. */
  readonly majority: Accuracy;
  /** Share of images right in every one of the draws: what an attacker who may ask that often leaves. */
  readonly everyDraw: Accuracy;
}

/** Accuracy on clean images. */
export interface CleanEvaluation extends Accuracy {
  /** Undefined for a deterministic network. */
  readonly votes?: VoteEvaluation;
  /** The share of draws in which each image was answered correctly. */
  readonly perImage: Float32Array;
}

/** What one attack left of a network's accuracy. */
export interface AttackEvaluation {
  /** The attack with every option. */
  readonly attack: string;
  readonly robustAccuracy: number;
  readonly low: number;
  readonly high: number;
  /** Undefined for a deterministic network. */
  readonly votes?: VoteEvaluation;
  /** Passes of an image through the attacked network, the mean over images; the answers are not among them. */
  readonly passes: PassCounter;
  /** Time of the attack and of the answers. */
  readonly seconds: number;
  /** The share of fresh draws in which each image was answered correctly. */
  readonly perImage: Float32Array;
}

export interface Evaluation {
  readonly images: number;
  /** Fresh draws of the network's noise that each image was answered in. */
  readonly draws: number;
  readonly clean: CleanEvaluation;
  readonly attacks: readonly AttackEvaluation[];
  /**
   * For each image the worst among clean and all attacks, judged by draws that did not choose it; undefined without attacks,
   * and, as a flag says, for a randomized network that answered in a single draw, whose least answer would be low by luck.
   */
  readonly worstCase?: Accuracy;
  readonly flags: readonly Flag[];
}

/** What was counted under one attack, or on clean images. */
export interface EvaluationRow {
  /** The attack's label, or "clean". */
  readonly name: string;
  readonly answers: Answers;
  /** Passes of single images. */
  readonly passes: PassCounter;
  seconds: number;
}

const noWorstCase: Flag = {
  kind: "no-worst-case",
  message: "no worst case is reported: that of a randomized network takes at least 2 draws",
};

/** Accuracies of counted rows, the clean one first. */
export function summarize(
  rows: readonly EvaluationRow[],
  randomized: boolean,
  seed: Seed,
  flags: readonly Flag[],
): Evaluation {
  const accuracy = (answers: Counts, name: string) => accuracyOf(answers, randomized, deriveSeed(seed, name));
  const votes = (answers: Answers) =>
    randomized ? { votes: { majority: majorityOf(answers), everyDraw: everyDrawOf(answers) } } : {};
  const [clean, ...attacked] = rows;
  if (clean === undefined) throw new RangeError("an evaluation needs the row of the clean images");
  const wanted = attacked.length > 0;
  const byLuck = randomized && clean.answers.draws === 1;
  const all = rows.map(({ answers }) => answers);
  return {
    images: clean.answers.images,
    draws: clean.answers.draws,
    clean: { ...accuracy(clean.answers, clean.name), ...votes(clean.answers), perImage: clean.answers.shares() },
    attacks: attacked.map((row) => ({
      ...summarizeAttack(row, accuracy(row.answers, row.name)),
      ...votes(row.answers),
    })),
    ...(wanted && !byLuck ? { worstCase: accuracy(worstOf(all, randomized), "worst case") } : {}),
    flags: wanted && byLuck ? [...flags, noWorstCase] : flags,
  };
}

function summarizeAttack({ name, answers, passes, seconds }: EvaluationRow, accuracy: Accuracy): AttackEvaluation {
  const { accuracy: robustAccuracy, low, high } = accuracy;
  const images = answers.images;
  const mean = { forward: passes.forward / images, backward: passes.backward / images };
  return { attack: name, robustAccuracy, low, high, passes: mean, seconds, perImage: answers.shares() };
}
