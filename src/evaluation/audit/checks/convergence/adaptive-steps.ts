import { type Trial, whiteBox } from "../../../../trials/index.js";
import { adaptiveAttack } from "../../attacks.js";
import { differenceText, isAbove, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";
import { byRestarts } from "./doubled.js";

const plain = (plan: AuditPlan) => byRestarts(plan)[1];
const adaptive = (plan: AuditPlan): Trial => whiteBox(adaptiveAttack(plan), { after: plain(plan) });

/**
 * APGD may find by the same gradients what steps of one size do not: then PGD was weak, and
 * gradients are not to blame. So it counts as white-box where attacks without gradients are compared with
 * those.
 */
export const adaptiveSteps = defineCheck("adaptive-steps", {
  question: "Do steps that adapt, and lead to classes in turn, find no more than steps of one size?",
  source: "Croce and Hein 2020",
  group: "convergence",
  trials: (plan) => [plain(plan), adaptive(plan)],
  judge(plan, { of, clean }) {
    const [before, after] = [plain(plan), adaptive(plan)].map((trial) => of(trial).answers);
    const evidence =
      `accuracy ${percentOf(before!)} under PGD with ${2 * plan.budget.restarts} restarts, ` +
      `${percentOf(after!)} after APGD and targeted APGD (${differenceText(before!, after!)} lower)`;
    const outcome = isAbove(before!, after!) ? "noted" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [before!, after!]);
  },
});
