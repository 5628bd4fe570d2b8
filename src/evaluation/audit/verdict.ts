import { interval } from "../../report/index.js";
import type { Accuracy, Counts } from "../../trials/index.js";
import type { Judgment } from "./checks/index.js";
import { falls, shareText } from "./difference.js";

/**
 * Conclusion of an audit.
 *
 * - `invalid`: the model or the claimed attack breaks an assumption of every evaluation.
 * - `masked`: attacks by gradients fail for a reason other than robustness; the claim says little.
 * - `overstated`: attacks in the same ball lower the accuracy clearly below the claim.
 * - `not robust`: the accuracy is no more than chance. Where that holds under the claimed attack itself,
 *   gradients did not hide it: that counts before `masked`.
 * - `claim holds`: nothing in the checklist speaks against the claim.
 */
export type VerdictName = "claim holds" | "not robust" | "overstated" | "masked" | "invalid";

/** Verdict of an audit. */
export interface AuditVerdict {
  readonly name: VerdictName;
  /** The verdict as a sentence with the claim's attack and the figures, without a full stop. */
  readonly text: string;
}

/** Points between the claim and the worst case that make a claim overstated. */
const tolerance = 2;

/** Answers under the claimed attack, and in the worst case of each image over all attacks. */
export interface VerdictCounts {
  readonly claim: Counts;
  readonly worst: Counts;
  readonly classes: number;
}

/**
 * Name of the verdict. For a deterministic model each image that falls is a proof, so few images disprove a
 * claim too.
 */
export function verdictName(
  judgments: readonly Pick<Judgment, "outcome">[],
  { claim, worst, classes }: VerdictCounts,
): VerdictName {
  const found = (outcome: Judgment["outcome"]) => judgments.some((judgment) => judgment.outcome === outcome);
  if (found("invalid")) return "invalid";
  if (claim.mean() <= 1 / classes) return "not robust";
  if (found("masked")) return "masked";
  if (falls(claim, worst, tolerance)) return "overstated";
  return worst.mean() <= 1 / classes ? "not robust" : "claim holds";
}

/** Figures and names that a verdict is told by. */
export interface VerdictFigures {
  /** Text of the claimed attack. */
  readonly attack: string;
  /** Text of the ball, such as "linf 8/255". */
  readonly ball: string;
  readonly claim: Accuracy;
  readonly worst: Accuracy;
  readonly lines: readonly (Judgment & { readonly name: string })[];
}

/** The verdict as a sentence. */
export function verdictText(
  name: VerdictName,
  { attack, ball, claim, worst, lines }: VerdictFigures,
): string {
  const figure = ({ accuracy, low, high }: Accuracy) => `${shareText(accuracy)} ${interval(low, high, 1)}`;
  const claimed = `${figure(claim)} under ${attack} within ${ball}`;
  const worstCase = `${figure(worst)} in the worst case of all attacks`;
  const withOutcome = (outcome: Judgment["outcome"]) => lines.filter((line) => line.outcome === outcome);
  const texts: Readonly<Record<VerdictName, () => string>> = {
    "claim holds": () => `${claimed}, ${worstCase}`,
    "not robust": () => `${worstCase}, no more than chance; ${claimed}`,
    overstated: () => `${claimed}, but ${worstCase}`,
    masked: () => {
      const names = withOutcome("masked").map((line) => line.name);
      return `${claimed} says little, for gradients lead attacks astray (${names.join(", ")})`;
    },
    invalid: () => {
      const [first] = withOutcome("invalid");
      return `no accuracy of this audit can be trusted (${first?.name}: ${first?.evidence})`;
    },
  };
  return `${name}: ${texts[name]()}`;
}
