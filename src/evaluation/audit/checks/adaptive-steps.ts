import { type Trial, whiteBox } from "../../../trials/trial.js";
import { adaptiveText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { differenceText, isAbove, percentOf } from "../difference.js";
import { byRestart } from "./convergence.js";

const plain = (plan: AuditPlan) => byRestart(plan)[1];
const adaptive = (plan: AuditPlan): Trial => ({ ...whiteBox(adaptiveText(plan)), after: plain(plan) });

/**
 * What PGD does not find by steps of one size, APGD may find by the same gradients: then PGD was weak, and gradients are not
 * to blame. So it counts as white-box where attacks without gradients are compared with those.
 */
export const adaptiveSteps: Check = {
  name: "adaptive-steps",
  question: "Do steps that adapt, and lead to classes in turn, find no more than steps of one size?",
  source: "Croce and Hein 2020",
  trials: (plan) => [plain(plan), adaptive(plan)],
  judge(plan, { of }) {
    const [before, after] = [plain(plan), adaptive(plan)].map((trial) => of(trial).answers);
    const evidence =
      `PGD with ${2 * plan.budget.restarts} restarts leaves ${percentOf(before!)}, APGD and targeted APGD ` +
      `${percentOf(after!)} (${differenceText(before!, after!)} less)`;
    return { outcome: isAbove(before!, after!) ? "noted" : "passed", evidence };
  },
};
