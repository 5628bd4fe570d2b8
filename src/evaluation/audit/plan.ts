import type { Seed } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import type { Answers, Counts, Players, Trial, TrialResult } from "../../trials/index.js";
import type { Budget } from "./budget.js";

/**
 * Subject of an audit: a model, the ball in which it claims to be robust, and the attack that the claim rests
 * on.
 */
export interface AuditPlan {
  readonly players: Players;
  readonly budget: Budget;
  readonly norm: "linf" | "l2";
  readonly epsilon: number;
  /** Trial whose accuracy is claimed; where nobody claims anything, the audit's reference. */
  readonly claim: Trial;
  /** False where nobody claims the accuracy under it. */
  readonly claimed: boolean;
  readonly seed: Seed;
  /** Images that pass the model together, at most. */
  readonly batchSize: number;
  /** Names of the model's surrogates that answer otherwise than it: images are made on them as well. */
  readonly lenders: readonly string[];
}

/** Name of the claimed attack, or of the reference in its place. */
export function claimName({ claimed }: Pick<AuditPlan, "claimed">): string {
  return claimed ? "the claimed attack" : "the reference attack";
}

/** Losses and successes of the audit's standard attack at each of its steps. */
export interface Trace {
  /** Mean cross-entropy over images. */
  readonly losses: readonly number[];
  /** 1 for each image that was misclassified. */
  readonly fooled: readonly Uint8Array[];
  /** Error that the attack ended in, where logits or gradients are not finite. */
  readonly stop?: string;
}

/** Images that were answered before, and those of them that are answered otherwise now. */
export interface Repeated {
  readonly images: number;
  readonly changed: number;
}

/** Outcomes of trials, for the checks to judge. */
export interface AuditResults {
  /** Outcome of a trial that the check has asked for. */
  of(trial: Trial): TrialResult;
  /** Tells trials that came to an outcome, and not to an error. */
  has(trial: Trial): boolean;
  readonly clean: Answers;
  /** Worst case of each image over all trials in the ball by gradients of the model and its surrogates. */
  readonly byGradients: Counts;
  /** Worst case of each image over all trials in the ball. */
  readonly worst: Counts;
  /** All outcomes, in the order of running. */
  readonly trials: readonly TrialResult[];
  /** Asks the model once more about a trial's first images; undefined where it got no answers. */
  again(trial: Trial): Repeated | undefined;
  /** A few clean images. */
  readonly sample: Batch;
  /** Trace of the standard attack on them. */
  readonly trace: Trace;
}
