import type { Counts } from "../../../trials/index.js";
import type { Judgment } from "../checks/index.js";
import { falls } from "../difference.js";
import { isTooPoor, type Resolution } from "./resolution.js";

/**
 * Conclusion of an audit.
 *
 * - `invalid`: the model or the claimed attack breaks an assumption of every evaluation.
 * - `masked`: attacks by gradients fail for a reason other than robustness; the claim says little.
 * - `overstated`: attacks in the same ball lower the accuracy clearly below the claim.
 * - `not robust`: the accuracy is no more than chance. Where that holds under the claimed attack itself,
 *   gradients did not hide it: that counts before `masked`.
 * - `inconclusive`: no fault was found, and the images are too few to find one, or an attack or a check that
 *   could have found one ended in an error.
 * - `claim holds`: nothing in the checklist speaks against the claim.
 * - `no fault found`: the same where nobody made a claim.
 */
export type VerdictName = (typeof verdictNames)[number];

/** Every verdict. */
export const verdictNames = [
  "claim holds",
  "no fault found",
  "inconclusive",
  "not robust",
  "overstated",
  "masked",
  "invalid",
] as const;

/** Ground of a verdict. */
export interface Reason {
  /** Line of the checklist that it is; undefined for a figure. */
  readonly line?: string | undefined;
  /** A sentence without a full stop. */
  readonly text: string;
}

/** Verdict of an audit. */
export interface AuditVerdict {
  readonly name: VerdictName;
  /** The verdict as a sentence with the claim's attack and the figures, without a full stop. */
  readonly text: string;
  /** Lines and figures that decided. */
  readonly reasons: readonly Reason[];
}

/** Points between the claim and the worst case that make a claim overstated. */
export const tolerance = 2;

/** Facts that a verdict rests on beside the checklist. */
export interface VerdictCounts {
  /** Answers under the claimed attack; where there is no claim, under the audit's reference attack. */
  readonly claim: Counts;
  /** Answers in the worst case of each image over all attacks. */
  readonly worst: Counts;
  readonly classes: number;
  /** Tells whether somebody claims the accuracy under the attack. */
  readonly claimed: boolean;
  readonly resolution: Resolution;
  /** Attacks and checks that ended in an error, each a sentence without a full stop. */
  readonly errors: readonly string[];
}

/**
 * Name of the verdict. For a deterministic model each image that falls is a proof, so few images disprove a
 * claim too; that no image falls proves as much as their number lets it.
 */
export function verdictName(
  judgments: readonly Pick<Judgment, "outcome">[],
  { claim, worst, classes, claimed, resolution, errors }: VerdictCounts,
): VerdictName {
  const found = (outcome: Judgment["outcome"]) => judgments.some((judgment) => judgment.outcome === outcome);
  if (found("invalid")) return "invalid";
  if (claim.mean() <= 1 / classes) return "not robust";
  if (found("masked")) return "masked";
  if (claimed && falls(claim, worst, tolerance)) return "overstated";
  if (worst.mean() <= 1 / classes) return "not robust";
  if (isTooPoor(resolution) || errors.length > 0) return "inconclusive";
  return claimed ? "claim holds" : "no fault found";
}

/** Tells verdicts that find no fault in a model, a claim or the audit itself. */
export function isSound(name: VerdictName): boolean {
  return name === "claim holds" || name === "no fault found";
}

/** Tells verdicts under which no figure under attack says much, whatever it is. */
export function isDoubtful(name: VerdictName): boolean {
  return name === "masked" || name === "invalid";
}
