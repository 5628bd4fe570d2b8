import { type Attack, nes, spsa } from "../../../../attacks/index.js";
import { blackBox } from "../../../../trials/index.js";
import { squareAttack } from "../../attacks.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { againstGradients } from "./against-gradients.js";

/** Attacks by gradients estimated from scores, which no masking changes. */
function estimated({ norm, epsilon, budget }: AuditPlan): Attack[] {
  const { estimateSteps: steps } = budget;
  if (steps === 0) return [];
  const options = { norm, epsilon, steps, samples: 64 };
  const inLinf = norm === "linf";
  return [
    // In l-infinity steps are PGD's; a step of a pixel has no length that goes with an l2 radius.
    spsa({ ...options, ...(inLinf ? {} : { learningRate: 0.01 }) }),
    // Where rounding leaves no slope nearby, there may be one from afar: as far as other checks look.
    nes({ ...options, ...(inLinf ? { sigma: epsilon / 10 } : {}) }),
  ];
}

const trials = (plan: AuditPlan) =>
  [squareAttack(plan, plan.budget.queries), ...estimated(plan)].map((attack) => blackBox(attack));

/** An attack that sees scores alone must not be stronger than gradients. */
export const scoreBased = defineCheck("score-based", {
  question: "Is an attack that sees scores alone no stronger than gradients?",
  source: "Athalye et al. 2018, section 3.1; Uesato et al. 2018; Ilyas et al. 2018",
  trials,
  judge(plan, results) {
    const found = trials(plan).map((trial) => ({
      name: trial.attack!.name,
      answers: results.of(trial).answers,
    }));
    return againstGradients(found, results);
  },
});
