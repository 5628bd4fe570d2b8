import type { Seed } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import type { Answers, Counts } from "../../trials/answers.js";
import type { Subject } from "../../trials/players.js";
import type { Trial } from "../../trials/trial.js";
import type { TrialResult } from "../../trials/trial-result.js";
import type { Budget } from "./budget.js";
import type { Trace } from "./trace.js";

/** What an audit is about: a network, the ball that it claims to be robust in, and by which attack. */
export interface AuditPlan {
  readonly subject: Subject;
  readonly budget: Budget;
  readonly norm: "linf" | "l2";
  readonly epsilon: number;
  /** The attack whose accuracy is claimed. */
  readonly claim: Trial;
  readonly seed: Seed;
}

/** What was measured, for the checks to read. */
export interface AuditResults {
  /** The outcome of a trial that the check has asked for. */
  of(trial: Trial): TrialResult;
  readonly clean: Answers;
  /** Each image's worst case over all trials in the ball by the audited network's gradients, its substitutes' included. */
  readonly byGradients: Counts;
  /** Each image's worst case over all trials in the ball. */
  readonly worst: Counts;
  /** The outcomes of all trials, in the order of running. */
  readonly trials: readonly TrialResult[];
  /** A few clean images. */
  readonly sample: Batch;
  /** What the standard attack saw on them. */
  readonly trace: Trace;
}

/**
 * What a check found.
 *
 * - `passed`: nothing speaks against the claim.
 * - `noted`: something that a reader should know, such as an attack that has not converged; the verdict stands on others.
 * - `masked`: attacks by gradients fail for a reason other than robustness.
 * - `invalid`: the network or the claimed attack does not do what an evaluation takes for granted.
 * - `skipped`: the check does not apply.
 */
export type Outcome = "passed" | "noted" | "masked" | "invalid" | "skipped";

export interface Finding {
  readonly outcome: Outcome;
  /** The evidence in a sentence, with its figures. */
  readonly evidence: string;
}

/** A line of the checklist: what it asks, the trials it needs, and what it makes of them. */
export interface Check {
  readonly name: string;
  readonly question: string;
  /** Where the question comes from. */
  readonly source: string;
  trials(plan: AuditPlan): readonly Trial[];
  judge(plan: AuditPlan, results: AuditResults): Finding;
}
