import { blackBox, type Trial } from "../../../../trials/index.js";
import { suite } from "../../attacks.js";
import { differenceText, isAbove, percentOf } from "../../difference.js";
import { type AuditPlan, claimName } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

// Square is part of the suite, so that it cannot speak for gradients.
const trialOfSuite = (plan: AuditPlan): Trial =>
  blackBox(suite(plan, plan.players.model.randomized ? "randomized" : "standard"));

/** The suite that deterministic models are ranked by, or its repaired form for randomized ones. */
export const autoattackSuite = defineCheck("autoattack", {
  question: "How far does AutoAttack go below the claimed attack, or the reference?",
  source: "Croce and Hein 2020",
  trials: (plan) => [trialOfSuite(plan), plan.claim],
  judge(plan, { of, clean }) {
    const [claimed, under] = [of(plan.claim).answers, of(trialOfSuite(plan)).answers];
    const evidence =
      `accuracy ${percentOf(claimed)} under ${claimName(plan)}, ${percentOf(under)} under AutoAttack ` +
      `(${differenceText(claimed, under)} lower)`;
    const outcome = isAbove(claimed, under) ? "noted" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [claimed, under]);
  },
});
