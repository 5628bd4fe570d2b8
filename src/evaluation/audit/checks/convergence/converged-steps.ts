import { defineCheck } from "../check.js";
import { bySteps, judgeDoubled } from "./doubled.js";

/** More steps must not find much more. */
export const convergedSteps = defineCheck("converged-steps", {
  question: "Does doubling the steps change nothing?",
  source: "Carlini et al. 2019, section 4.4",
  group: "convergence",
  trials: bySteps,
  judge(plan, results) {
    const { steps } = plan.budget;
    return judgeDoubled(results, bySteps(plan), `${steps} to ${2 * steps} steps`);
  },
});
