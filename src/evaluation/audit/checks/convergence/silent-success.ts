import { defineCheck } from "../check.js";

/** An attack that passes through a success and returns a failure hides it. */
export const silentSuccess = defineCheck("silent-success", {
  question: "Does the attack return every success that it passes through?",
  source: "Pintor et al. 2022, indicator 3",
  group: "convergence",
  judge(plan, { trace: { fooled, stop } }) {
    if (stop !== undefined) return { outcome: "skipped", evidence: stop };
    if (plan.players.model.randomized) {
      return {
        outcome: "skipped",
        evidence: "in one draw a randomized model is fooled now and then by luck",
      };
    }
    const end = fooled.at(-1)!;
    const lost = [...end].filter(
      (success, i) => success === 0 && fooled.some((step) => step[i] === 1),
    ).length;
    const evidence = `${lost} of ${end.length} images were misclassified at some step and not at the last`;
    return { outcome: lost > 0.02 * end.length ? "noted" : "passed", evidence };
  },
});
