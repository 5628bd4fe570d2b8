import { formatCall } from "../../../options/call.js";
import type { AuditPlan, AuditResults, Check, Finding } from "../check.js";
import { attackOf, blackBox, type Trial } from "../trial.js";
import { againstGradients } from "./against-gradients.js";

/** The attack's name; that of the attack inside a combinator, which says more. */
function nameOf(trial: Trial): string {
  const { name, of } = attackOf(trial)!.call;
  return of?.[0]?.name ?? name;
}

function judge(trials: readonly Trial[], results: AuditResults): Finding {
  const found = trials.map((trial) => ({ name: nameOf(trial), answers: results.of(trial).answers }));
  return againstGradients(found, results);
}

const square = ({ norm, epsilon, budget }: AuditPlan) =>
  blackBox(`square(norm=${norm}, epsilon=${epsilon}, queries=${budget.queries})`);

/** A gradient estimated from scores, which no masking changes; steps in l-infinity as long as those of PGD. */
const estimated = ({ norm, epsilon, budget }: AuditPlan) => {
  const { estimateSteps: steps } = budget;
  const options = {
    norm,
    epsilon,
    steps,
    samples: 64,
    ...(norm === "linf" ? { learningRate: (2.5 * epsilon) / steps } : {}),
  };
  return blackBox(formatCall("spsa", options));
};

const scores = (plan: AuditPlan) => [square(plan), ...(plan.budget.estimateSteps > 0 ? [estimated(plan)] : [])];

/** Scores alone must not do better than gradients. */
export const scoreBased: Check = {
  name: "score-based",
  question: "Is an attack that sees scores alone no stronger than gradients?",
  source: "Athalye et al. 2018, section 3.1; Uesato et al. 2018",
  trials: scores,
  judge: (plan, results) => judge(scores(plan), results),
};

const decisions = ({ norm, epsilon, budget }: AuditPlan) =>
  blackBox(`within(hop-skip-jump(norm=${norm}, steps=${budget.decisionSteps}), epsilon=${epsilon})`);

/** Labels alone must not either. */
export const decisionBased: Check = {
  name: "decision-based",
  question: "Is an attack that sees labels alone no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: (plan) => [decisions(plan)],
  judge: (plan, results) => judge([decisions(plan)], results),
};

const noise = ({ norm, epsilon, budget }: AuditPlan) =>
  blackBox(`noise(norm=${norm}, epsilon=${epsilon}, tries=${budget.noiseTries})`);

/** Nor must trying points at random. */
export const noiseSearch: Check = {
  name: "noise-search",
  question: "Is the best of many random points no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: (plan) => [noise(plan)],
  judge: (plan, results) => judge([noise(plan)], results),
};
