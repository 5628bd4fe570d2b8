import { parseRatio } from "../../../options/index.js";

/** Figures that a criterion can name, with what each is. */
export const figureMeaning = {
  clean: "accuracy on clean images",
  claim: "accuracy under the claimed attack",
  worst: "worst case of each image over all attacks",
  "per-class worst": "lowest of the classes' worst cases",
  majority: "vote of a randomized model in the worst case",
  "every-draw": "correct in every draw of a randomized model",
  "fixed-seed": "AutoAttack on a randomized model whose noise is known, the mean over the seeds",
} as const;

/** Name of a figure that a criterion asks for. */
export type Figure = keyof typeof figureMeaning;

/** Figures of randomized models alone. */
const ofRandomized: readonly Figure[] = ["majority", "every-draw", "fixed-seed"];

/** Outcome of a criterion: undecided where the interval has the threshold inside it. */
export type OutcomeName = "pass" | "fail" | "undecided";

/** One condition of a criterion, such as `worst >= 0.40`. */
export interface Requirement {
  readonly figure: Figure;
  readonly operator: ">=" | ">";
  /** Share in [0, 1]. */
  readonly threshold: number;
}

const figures = Object.keys(figureMeaning) as Figure[];
const condition = /^(?<figure>[a-z -]+?)\s*(?<operator>>=|>)\s*(?<threshold>[^<>=]+)$/;

/** Share that `0.40`, `2/5` or `40 %` stands for. */
function shareOf(text: string): number | undefined {
  const percent = /^(.*)%$/.exec(text.trim());
  const value = parseRatio(percent?.[1] ?? text);
  return value === undefined || percent === null ? value : value / 100;
}

/**
 * Conditions of a criterion such as `worst >= 0.40 and clean >= 90 %`.
 *
 * @throws RangeError that says what of the text is none, and what is accepted
 */
export function parseRequirements(text: string): Requirement[] {
  if (typeof text !== "string") throw new TypeError(`require must be a text such as "worst >= 0.40"`);
  return text.split(/\s+and\s+/i).map((part) => {
    const accepted = `write a figure and its least share, such as "worst >= 0.40"`;
    const found = condition.exec(part.trim().toLowerCase())?.groups;
    if (found === undefined) throw new RangeError(`require: "${part}" is no condition; ${accepted}`);
    const name = found.figure!.replace(/\s+/g, " ").trim();
    const figure = figures.find((known) => known.replaceAll("-", " ") === name.replaceAll("-", " "));
    if (figure === undefined) {
      throw new RangeError(`require: no figure is named "${name}"; known: ${figures.join(", ")}`);
    }
    const threshold = shareOf(found.threshold!);
    if (threshold === undefined || !(threshold >= 0 && threshold <= 1)) {
      throw new RangeError(`require: ${found.threshold!.trim()} is not in [0, 1]; 40 % is 0.40`);
    }
    return { figure, operator: found.operator as Requirement["operator"], threshold };
  });
}

/** RangeError where a condition is of a figure that the audit will not have. */
export function checkMeasured(
  requirements: readonly Requirement[],
  { randomized, seeds }: { readonly randomized: boolean; readonly seeds: number },
): void {
  for (const { figure } of requirements) {
    if (!ofRandomized.includes(figure)) continue;
    if (!randomized) {
      throw new RangeError(`require: ${figure} is a figure of randomized models; this one is deterministic`);
    }
    if (figure === "fixed-seed" && seeds === 0)
      throw new RangeError("require: the budget attacks no fixed seed: give one with seeds of 1 or more");
  }
}

/** Condition as text. */
export function requirementText({ figure, operator, threshold }: Requirement): string {
  return `${figure} ${operator} ${threshold}`;
}
