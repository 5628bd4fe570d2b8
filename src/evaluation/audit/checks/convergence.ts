import { type Trial, whiteBox } from "../../../trials/trial.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, AuditResults, Check, Finding } from "../check.js";
import { difference, differenceText, percentOf } from "../difference.js";

/** Points that doubling an attack may take before it counts as not converged. */
const most = 0.5;

function doubled({ of }: AuditResults, pair: readonly [Trial, Trial], what: string): Finding {
  const [once, twice] = pair.map((trial) => of(trial).answers);
  const evidence = `${what}: ${percentOf(once!)} to ${percentOf(twice!)} (${differenceText(once!, twice!)})`;
  return { outcome: difference(once!, twice!).points > most ? "noted" : "passed", evidence };
}

const byStep = (plan: AuditPlan): readonly [Trial, Trial] => [
  whiteBox(pgdText(plan)),
  whiteBox(pgdText(plan, { steps: 2 * plan.budget.steps })),
];

/** The standard attack with the plan's restarts, and with twice as many: the strongest PGD of an audit. */
export const byRestart = (plan: AuditPlan): readonly [Trial, Trial] => [
  whiteBox(pgdText(plan, { restarts: plan.budget.restarts })),
  whiteBox(pgdText(plan, { restarts: 2 * plan.budget.restarts })),
];

/** More steps must not find much more. */
export const convergedInSteps: Check = {
  name: "converged-steps",
  question: "Does doubling the steps change nothing?",
  source: "Carlini et al. 2019, section 4.4",
  trials: byStep,
  judge: (plan, results) => doubled(results, byStep(plan), `${plan.budget.steps} to ${2 * plan.budget.steps} steps`),
};

/** Nor must more restarts. */
export const convergedInRestarts: Check = {
  name: "converged-restarts",
  question: "Does doubling the restarts change nothing?",
  source: "Carlini et al. 2019, section 4.4",
  trials: byRestart,
  judge: (plan, results) =>
    doubled(results, byRestart(plan), `${plan.budget.restarts} to ${2 * plan.budget.restarts} restarts`),
};
