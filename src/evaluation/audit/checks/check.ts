import * as z from "zod";
import { type Factory, Kind, type Value } from "../../../options/index.js";
import type { Trial } from "../../../trials/index.js";
import type { AuditPlan, AuditResults } from "../plan.js";

/**
 * Outcome of a check.
 *
 * - `passed`: nothing speaks against the claim.
 * - `noted`: a fact that a reader should know, such as an attack that has not converged; the verdict rests on
 *   others.
 * - `masked`: attacks by gradients fail for a reason other than robustness.
 * - `invalid`: the model or the claimed attack breaks an assumption of every evaluation.
 * - `skipped`: the check does not apply.
 */
export type Outcome = "passed" | "noted" | "masked" | "invalid" | "skipped";

/** Outcome of a check with its evidence, a sentence with figures. */
export interface Judgment {
  readonly outcome: Outcome;
  readonly evidence: string;
}

/** Groups of the checklist, in the order of the report. */
export const checkGroups = ["answers", "gradients", "convergence", "randomness", "other attacks"] as const;

/** Group that a check belongs to. */
export type CheckGroup = (typeof checkGroups)[number];

/** Question of the checklist: the trials that it needs, and its judgment of their outcomes. */
export interface CheckWork {
  readonly question: string;
  /** Publication that asks the question. */
  readonly source: string;
  readonly group: CheckGroup;
  trials(plan: AuditPlan): readonly Trial[];
  judge(plan: AuditPlan, results: AuditResults): Judgment;
}

/** Check with its options, such as `securityCurve()`. */
export interface Check extends CheckWork, Value {
  readonly name: string;
}

/** Every check by its name; an audit goes through all that are registered. */
export const checks = new Kind<CheckWork, Check>("check", "security-curve");

/** Parts of a check. */
export interface CheckDefinition<Options> {
  readonly question: string;
  readonly source: string;
  /** "other attacks" where left out. */
  readonly group?: CheckGroup;
  trials?(plan: AuditPlan, options: Options): readonly Trial[];
  judge(plan: AuditPlan, results: AuditResults, options: Options): Judgment;
}

const none = z.strictObject({});

/**
 * Defines a check of the audit; `checks.register` makes every audit ask it.
 *
 * @param definition `trials` names the attacks that it needs; trials that several checks need run once
 * @example
 * export const noisyImages = defineCheck("noisy-images", {
 *   question: "Does noise of half the radius leave accuracy as it is?",
 *   source: "Ford et al. 2019",
 *   trials: ({ epsilon }) => [blackBox(noise({ epsilon: epsilon / 2 }))],
 *   judge: (plan, { of, clean }) => ...,
 * });
 */
export function defineCheck<const Name extends string, Schema extends z.ZodObject = typeof none>(
  name: Name,
  definition: CheckDefinition<z.output<Schema>> & { readonly options?: Schema },
): Factory<Check, Name, Schema> {
  const { question, source, group = "other attacks", trials, judge } = definition;
  return checks.define(name, {
    summary: question,
    options: (definition.options ?? none) as Schema,
    create: (options): CheckWork => ({
      question,
      source,
      group,
      trials: (plan) => trials?.(plan, options) ?? [],
      judge: (plan, results) => judge(plan, results, options),
    }),
  });
}

/** All registered checks with their defaults, group by group. */
export function checklist(): Check[] {
  const all = checks.definitions.map((definition) => definition.make({}));
  return checkGroups.flatMap((group) => all.filter((check) => check.group === group));
}
