import { defineCheck } from "../check.js";
import { byRestarts, judgeDoubled } from "./doubled.js";

/** More restarts must not find much more. */
export const convergedRestarts = defineCheck("converged-restarts", {
  question: "Does doubling the restarts change nothing?",
  source: "Carlini et al. 2019, section 4.4",
  group: "convergence",
  trials: byRestarts,
  judge(plan, results) {
    const { restarts } = plan.budget;
    return judgeDoubled(results, byRestarts(plan), `${restarts} to ${2 * restarts} restarts`);
  },
});
