import type { Counts } from "../../trials/answers.js";
import type { Finding } from "./check.js";
import { isAbove } from "./difference.js";

/**
 * What an audit concludes.
 *
 * - `invalid`: the network or the claimed attack does not do what an evaluation takes for granted.
 * - `masked`: attacks by gradients fail for a reason other than robustness; the claim says little.
 * - `overstated`: attacks in the same ball leave clearly less than claimed.
 * - `not robust`: no more than chance is left. Where the claimed attack itself leaves no more, gradients did not hide it: that
 *   counts before `masked`.
 * - `robust as claimed`: nothing in the checklist speaks against the claim.
 */
export type Verdict = "robust as claimed" | "not robust" | "overstated" | "masked" | "invalid";

/** Points between the claim and the worst case that make a claim overstated. */
const tolerance = 2;

/** The verdict of findings, the claimed attack's answers and each image's worst case over all attacks. */
export function verdictOf(findings: readonly Finding[], claim: Counts, worst: Counts, classes: number): Verdict {
  const found = (outcome: Finding["outcome"]) => findings.some((finding) => finding.outcome === outcome);
  if (found("invalid")) return "invalid";
  if (claim.mean() <= 1 / classes) return "not robust";
  if (found("masked")) return "masked";
  if (isAbove(claim, worst, tolerance)) return "overstated";
  return worst.mean() <= 1 / classes ? "not robust" : "robust as claimed";
}
