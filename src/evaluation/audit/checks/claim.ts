import type { Check } from "../check.js";
import { isAbove, percentOf } from "../difference.js";

/** The claimed attack must lower accuracy where other attacks by gradients do, or it attacks nothing. */
export const claimedAttack: Check = {
  name: "claimed-attack",
  question: "Does the claimed attack do harm?",
  source: "Carlini et al. 2019, section 4.6",
  trials: (plan) => [plan.claim],
  judge(plan, { of, clean, byGradients }) {
    const claimed = of(plan.claim).answers;
    const evidence = `clean ${percentOf(clean)}, under the claimed attack ${percentOf(claimed)}, under others by gradients ${percentOf(byGradients)}`;
    const nothing = !isAbove(clean, claimed, 0) && isAbove(claimed, byGradients, 5);
    return { outcome: isAbove(claimed, clean) || nothing ? "invalid" : "passed", evidence };
  },
};
