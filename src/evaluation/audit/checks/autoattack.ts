import { blackBox, type Trial } from "../../../trials/trial.js";
import { suiteText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { differenceText, isAbove, percentOf } from "../difference.js";

// Square is part of it, so that it cannot speak for gradients.
const suite = (plan: AuditPlan): Trial =>
  blackBox(suiteText(plan, plan.subject.model.randomized ? "randomized" : "standard"));

/** The suite that deterministic networks are ranked by, or its repaired form for randomized ones. */
export const autoAttack: Check = {
  name: "autoattack",
  question: "What does AutoAttack leave of the claim?",
  source: "Croce and Hein 2020",
  trials: (plan) => [suite(plan), plan.claim],
  judge(plan, { of }) {
    const [claimed, left] = [of(plan.claim).answers, of(suite(plan)).answers];
    const evidence = `claimed ${percentOf(claimed)}, AutoAttack leaves ${percentOf(left)} (${differenceText(claimed, left)} less)`;
    return { outcome: isAbove(claimed, left) ? "noted" : "passed", evidence };
  },
};
