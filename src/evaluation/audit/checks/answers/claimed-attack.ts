import { isAbove, percentOf } from "../../difference.js";
import { claimName } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

/** The claimed attack must lower accuracy where other attacks by gradients do, or it attacks nothing. */
export const claimedAttack = defineCheck("claimed-attack", {
  question: "Does the claimed attack, or the reference in its place, do harm?",
  source: "Carlini et al. 2019, section 4.6",
  group: "answers",
  trials: (plan) => [plan.claim],
  judge(plan, { of, clean, byGradients }) {
    const claimed = of(plan.claim).answers;
    const evidence =
      `clean accuracy ${percentOf(clean)}, ${percentOf(claimed)} under ${claimName(plan)}, ` +
      `${percentOf(byGradients)} in the worst case of attacks by gradients`;
    const nothing = !isAbove(clean, claimed, 0) && isAbove(claimed, byGradients, 5);
    // The reference is the audit's own: where it fails, it was given gradients that mislead.
    const failed = plan.claimed ? "invalid" : "masked";
    const outcome = isAbove(claimed, clean) || nothing ? failed : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [claimed]);
  },
});
