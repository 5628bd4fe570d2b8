import * as z from "zod";
import { checkKind, isObject } from "../../../base/index.js";
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
export type Outcome = (typeof outcomes)[number];

const outcomes = ["passed", "noted", "masked", "invalid", "skipped"] as const;

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
  const what = checks.checkParts(name, definition);
  checkDefinition(what, definition);
  const { question, source, group = "other attacks", trials, judge } = definition;
  const check = checks.define(name, {
    summary: question,
    options: (definition.options ?? none) as Schema,
    create: (options): CheckWork => ({
      question,
      source,
      group,
      trials: (plan) => checkedTrials(what, trials?.(plan, options) ?? []),
      judge: (plan, results) => checkedJudgment(what, judge(plan, results, options)),
    }),
  });
  const required = Object.entries(check.options.shape).find(
    ([, option]) => !z.safeParse(option, undefined).success,
  );
  if (required === undefined) return check;
  throw new RangeError(
    `${what}: option "${required[0]}" must have a default, with which audits ask the check`,
  );
}

/** TypeError or RangeError that names the part of a check which is missing, or of another kind. */
function checkDefinition<Options>(what: string, definition: CheckDefinition<Options>): void {
  const { question, source, group = "other attacks", trials, judge } = definition;
  for (const [part, text] of Object.entries({ question, source }))
    checkKind(`${what}: ${part}`, text, "a text", typeof text === "string");
  checkKind(`${what}: group`, group, checkGroups.join(", "), checkGroups.includes(group));
  checkKind(`${what}: judge`, judge, "a function", typeof judge === "function");
  checkKind(`${what}: trials`, trials, "a function", ["function", "undefined"].includes(typeof trials));
}

/** Trials that a check asks for. TypeError for what is none. */
function checkedTrials(what: string, given: readonly Trial[]): readonly Trial[] {
  checkKind(`${what}: trials`, given, "a function that returns a list of trials", Array.isArray(given));
  for (const trial of given as readonly unknown[]) {
    const fits = isObject(trial) && typeof trial.id === "string" && typeof trial.on === "string";
    checkKind(`${what}: an element of trials`, trial, "a trial such as blackBox(pgd())", fits);
  }
  return given;
}

/** Judgment of a check. TypeError for what is none. */
function checkedJudgment(what: string, given: Judgment): Judgment {
  // Of a promise that is rejected later nobody would hear.
  if ((given as unknown) instanceof Promise) (given as unknown as Promise<unknown>).catch(() => {});
  checkKind(
    `${what}: judge`,
    given,
    "a function that returns { outcome, evidence }",
    isObject(given) && "outcome" in given,
  );
  const { outcome, evidence } = given;
  checkKind(`${what}: outcome`, outcome, outcomes.join(", "), outcomes.includes(outcome));
  checkKind(`${what}: evidence`, evidence, "a sentence", typeof evidence === "string");
  return { outcome, evidence };
}

/** All registered checks with their defaults, group by group. */
export function checklist(): Check[] {
  const all = checks.definitions.map((definition) => definition.make({}));
  return checkGroups.flatMap((group) => all.filter((check) => check.group === group));
}
