import { suiteText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { difference, isAbove, percentOf } from "../difference.js";
import { blackBox, type Trial } from "../trial.js";

// Square is part of it, so that it cannot speak for gradients.
const suite = (plan: AuditPlan): Trial =>
  blackBox(suiteText(plan, plan.subject.model.randomized ? "randomized" : "standard"));

/** The suite that deterministic networks are ranked by, or its repaired form for randomized ones. */
export const strongest: Check = {
  name: "autoattack",
  question: "What does AutoAttack leave of the claim?",
  source: "Croce and Hein 2020",
  trials: (plan) => [suite(plan), plan.claim],
  judge(plan, { of }) {
    const [claimed, left] = [of(plan.claim).answers, of(suite(plan)).answers];
    const { points, error } = difference(claimed, left);
    const evidence = `claimed ${percentOf(claimed)}, AutoAttack leaves ${percentOf(left)} (${points.toFixed(1)} +- ${error.toFixed(1)} points less)`;
    return { outcome: points > Math.max(1, error) ? "noted" : "passed", evidence };
  },
};

/** The claimed attack must lower accuracy where other attacks by gradients do, or it attacks nothing. */
export const claimedAttack: Check = {
  name: "claimed-attack",
  question: "Does the claimed attack do harm?",
  source: "Carlini et al. 2019, section 4.6",
  trials: (plan) => [plan.claim],
  judge(plan, { of, clean, whiteBox }) {
    const claimed = of(plan.claim).answers;
    const evidence = `clean ${percentOf(clean)}, under the claimed attack ${percentOf(claimed)}, under others by gradients ${percentOf(whiteBox)}`;
    const nothing = !isAbove(clean, claimed, 0) && isAbove(clean, whiteBox, 5);
    return { outcome: isAbove(claimed, clean) || nothing ? "invalid" : "passed", evidence };
  },
};
