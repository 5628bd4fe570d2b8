import { type Trial, whiteBox } from "../../../../trials/index.js";
import { standardAttack } from "../../attacks.js";
import { difference, differenceText, percentOf } from "../../difference.js";
import type { AuditPlan, AuditResults } from "../../plan.js";
import type { Judgment } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

/** Points that doubling an attack may take before it counts as not converged. */
const most = 0.5;

/** The standard attack with the plan's steps, and with twice as many. */
export const bySteps = (plan: AuditPlan): readonly [Trial, Trial] => [
  whiteBox(standardAttack(plan)),
  whiteBox(standardAttack(plan, { steps: 2 * plan.budget.steps })),
];

/** The standard attack with the plan's restarts, and with twice as many: the strongest PGD of an audit. */
export const byRestarts = (plan: AuditPlan): readonly [Trial, Trial] => [
  whiteBox(standardAttack(plan, { restarts: plan.budget.restarts })),
  whiteBox(standardAttack(plan, { restarts: 2 * plan.budget.restarts })),
];

/** Judges an attack that was run once, and with twice the effort. */
export function judgeDoubled(results: AuditResults, pair: readonly [Trial, Trial], effort: string): Judgment {
  const { of, clean } = results;
  const [once, twice] = pair.map((trial) => of(trial).answers);
  const lower = differenceText(once!, twice!);
  const evidence = `${effort}: accuracy ${percentOf(once!)} to ${percentOf(twice!)} (${lower} lower)`;
  const outcome = difference(once!, twice!).points > most ? "noted" : "passed";
  return unlessTooWeak({ outcome, evidence }, clean, [once!, twice!]);
}
