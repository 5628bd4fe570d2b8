import { formatCall } from "../../../options/call.js";
import { attackOf, blackBox, type Trial } from "../../../trials/trial.js";
import { squareText } from "../attack-texts.js";
import type { AuditPlan, AuditResults, Check, Finding } from "../check.js";
import { minimalByDecisions } from "../curve-attacks.js";
import { againstGradients } from "./against-gradients.js";

/** The attack's name; that of the attack inside a combinator, which says more. */
function nameOf(trial: Trial): string {
  const { call } = attackOf(trial)!;
  const { name, options } = call.of?.[0] ?? call;
  return options.distribution === "gaussian" ? `Gaussian ${name}` : name;
}

function judge(trials: readonly Trial[], results: AuditResults): Finding {
  const found = trials.map((trial) => ({ name: nameOf(trial), answers: results.of(trial).answers }));
  return againstGradients(found, results);
}

/** Gradients estimated from scores, which no masking changes; steps in l-infinity as long as those of PGD. */
const estimated = ({ norm, epsilon, budget }: AuditPlan): Trial[] => {
  const { estimateSteps: steps } = budget;
  if (steps === 0) return [];
  const options = { norm, epsilon, steps, samples: 64 };
  const [stepSize, inLinf] = [(2.5 * epsilon) / steps, norm === "linf"];
  return [
    formatCall("spsa", { ...options, ...(inLinf ? { learningRate: stepSize } : {}) }),
    // Where rounding leaves no slope nearby, there may be one from afar: as far as the audit's other probes look.
    formatCall("nes", { ...options, stepSize, ...(inLinf ? { sigma: epsilon / 10 } : {}) }),
  ].map((attack) => blackBox(attack));
};

const scores = (plan: AuditPlan) => [blackBox(squareText(plan, plan.budget.queries)), ...estimated(plan)];

/** Scores alone must not do better than gradients. */
export const scoreBased: Check = {
  name: "score-based",
  question: "Is an attack that sees scores alone no stronger than gradients?",
  source: "Athalye et al. 2018, section 3.1; Uesato et al. 2018; Ilyas et al. 2018",
  trials: scores,
  judge: (plan, results) => judge(scores(plan), results),
};

const decisions = (plan: AuditPlan) => minimalByDecisions(plan).map(({ within }) => within);

/** Labels alone must not either. */
export const decisionBased: Check = {
  name: "decision-based",
  question: "Is an attack that sees labels alone no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: decisions,
  judge: (plan, results) => judge(decisions(plan), results),
};

const noises = ({ norm, epsilon, budget: { noiseTries, gaussianTries } }: AuditPlan) =>
  [
    `noise(norm=${norm}, epsilon=${epsilon}, tries=${noiseTries})`,
    ...(gaussianTries === undefined
      ? []
      : [`noise(norm=${norm}, epsilon=${epsilon}, distribution=gaussian, tries=${gaussianTries})`]),
  ].map((attack) => blackBox(attack));

/** Nor must trying points at random. */
export const noiseSearch: Check = {
  name: "noise-search",
  question: "Is the best of many random points no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: noises,
  judge: (plan, results) => judge(noises(plan), results),
};
