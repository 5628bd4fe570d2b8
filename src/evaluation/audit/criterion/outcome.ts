import { countText } from "../../../base/index.js";
import { interval, percent, shareText } from "../../../report/index.js";
import type { Accuracy } from "../../../trials/index.js";
import { fewestThatDiffer } from "../difference.js";
import type { VerdictName } from "../verdict/verdict.js";
import { shortOf } from "../verdict/verdict-text.js";
import type { Comparison } from "./baseline.js";
import type { Criterion } from "./criterion.js";
import {
  type Figure,
  type OutcomeName,
  parseRequirements,
  type Requirement,
  requirementText,
} from "./requirement.js";

/** Outcome of one condition. */
export interface RequirementOutcome extends Requirement {
  readonly outcome: OutcomeName;
  /** Figure that was found; null where it was not measured. */
  readonly value: Accuracy | null;
  /** A sentence without a full stop. */
  readonly text: string;
}

/** Outcome of an audit against what was required of it. */
export interface AuditOutcome {
  readonly name: OutcomeName;
  /** The outcome in a sentence without a full stop. */
  readonly text: string;
  /** Undefined where only a baseline was given. */
  readonly criterion?: Criterion | undefined;
  /** Other criteria that were written down for the same audit, in other sittings. */
  readonly otherCriteria: readonly Criterion[];
  readonly requirements: readonly RequirementOutcome[];
  /** Comparison with an earlier audit, where one was given. */
  readonly baseline?: Comparison | undefined;
}

/** Findings that a criterion is judged by. */
export interface Findings {
  readonly verdict: VerdictName;
  readonly images: number;
  /** Attacks and checks that ended in an error, each a sentence without a full stop. */
  readonly errors: readonly string[];
  readonly figures: Readonly<Partial<Record<Figure, Accuracy>>>;
}

/** Worst of several outcomes: a failure, then what is undecided. */
function worstOutcome(outcomes: readonly OutcomeName[]): OutcomeName {
  if (outcomes.includes("fail")) return "fail";
  return outcomes.includes("undecided") ? "undecided" : "pass";
}

/** Reason for which a figure is missing, where one is known. */
const missing: Readonly<Partial<Record<Figure, string>>> = {
  "per-class worst": ", as a class has no image",
  "fixed-seed": ", as the attack on a seed ended in an error",
};

/** Figure with its interval, in as many digits as tell the ends from a threshold. */
function figureText({ accuracy, low, high }: Accuracy, threshold: number): string {
  const isTold = (digits: number) =>
    [low, high].every((end) => end === threshold || percent(end, digits) !== percent(threshold, digits));
  const digits = [1, 2, 3].find(isTold) ?? 4;
  return `${shareText(accuracy, digits)} ${interval(low, high, digits)}`;
}

/**
 * Outcome of one condition. Figures of an invalid, masked or inconclusive audit, or of one with an attack
 * that ended in an error, can fail and cannot pass; but clean accuracy, which needs no attack, can unless the
 * audit is invalid.
 */
function judged(
  requirement: Requirement,
  { verdict, images, figures, errors }: Findings,
): RequirementOutcome {
  const { figure, operator, threshold } = requirement;
  const value = figures[figure];
  const said = requirementText(requirement);
  if (value === undefined) {
    const text = `${said}: was not measured${missing[figure] ?? ""}`;
    return { ...requirement, outcome: "undecided", value: null, text };
  }
  const meets = (share: number) => (operator === ">=" ? share >= threshold : share > threshold);
  const found = figureText(value, threshold);
  const ended = (outcome: OutcomeName, why: string) => {
    return { ...requirement, outcome, value, text: `${said}: ${found}${why}` };
  };
  if (!meets(value.high)) return ended("fail", ", all of the interval below");
  if (!meets(value.low))
    return ended("undecided", ", the threshold inside the interval, which more images make narrower");
  if (verdict === "invalid") return ended("undecided", ", but the audit is invalid");
  if (verdict === "masked" && figure !== "clean") return ended("undecided", ", but gradients are masked");
  if (errors.length > 0 && figure !== "clean") return ended("undecided", `, but ${shortOf(errors)}`);
  if (verdict === "inconclusive" && figure !== "clean")
    return ended(
      "undecided",
      `, but the audit is inconclusive: ${countText(images, "image is", "images are")} too few`,
    );
  if (images < fewestThatDiffer) return ended("undecided", `, but of ${countText(images, "image")}`);
  return ended("pass", ", all of the interval above");
}

/** Judges what was required of an audit, and its comparison with an earlier one. */
export function outcomeOf(
  findings: Findings,
  given: {
    readonly criterion: Criterion | undefined;
    readonly others: readonly Criterion[];
    readonly baseline: Comparison | undefined;
  },
): AuditOutcome {
  const { criterion, others, baseline } = given;
  const requirements =
    criterion === undefined ? [] : parseRequirements(criterion.require).map((one) => judged(one, findings));
  const parts = [...requirements, ...(baseline === undefined ? [] : [baseline])];
  const name = worstOutcome(parts.map(({ outcome }) => outcome));
  const deciding = parts.filter(({ outcome }) => outcome === name);
  const late =
    criterion === undefined || criterion.batchesBefore === 0
      ? ""
      : `; batches of attacks that were known when the criterion was written: ${criterion.batchesBefore}`;
  const text = `${name}: ${deciding.map((part) => part.text).join("; ")}${late}`;
  return {
    name,
    text,
    ...(criterion === undefined ? {} : { criterion }),
    otherCriteria: others,
    requirements,
    ...(baseline === undefined ? {} : { baseline }),
  };
}
