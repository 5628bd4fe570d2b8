import { type Trial, whiteBox } from "../../../../trials/index.js";
import { averagedAttack } from "../../attacks.js";
import { isAboveAny, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

/** Points that averaged gradients may take before single ones count as hidden by noise. */
const hidden = 5;

const means = ["loss", "softmax"] as const;
const averaged = (plan: AuditPlan, draws: number, mean: "loss" | "softmax"): Trial =>
  whiteBox(averagedAttack(plan, draws, mean));
const several = ({ budget }: AuditPlan) => budget.expectation.filter((draws) => draws > 1);

/** Gradients averaged over draws must not find much that single ones miss. */
export const expectation = defineCheck("expectation", {
  question: "Do gradients averaged over draws find no more than single ones?",
  source: "Athalye et al. 2018, section 4.2",
  group: "randomness",
  trials(plan) {
    if (!plan.players.model.randomized) return [];
    const all = several(plan).flatMap((draws) => means.map((mean) => averaged(plan, draws, mean)));
    return [averaged(plan, 1, "loss"), ...all];
  },
  judge(plan, { of, clean }) {
    if (!plan.players.model.randomized) return { outcome: "skipped", evidence: "the model is deterministic" };
    if (several(plan).length === 0)
      return { outcome: "skipped", evidence: "the budget averages no gradients" };
    const single = of(averaged(plan, 1, "loss")).answers;
    const found = several(plan).flatMap((draws) =>
      means.map((mean) => ({ draws, mean, answers: of(averaged(plan, draws, mean)).answers })),
    );
    const evidence = [
      `accuracy ${percentOf(single)} by gradients of 1 draw`,
      ...found.map(({ draws, mean, answers }) => `${percentOf(answers)} by the mean ${mean} of ${draws}`),
    ].join(", ");
    const all = found.map(({ answers }) => answers);
    if (isAboveAny(single, all, hidden)) return { outcome: "masked", evidence };
    const outcome = isAboveAny(single, all) ? "noted" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [single, ...all]);
  },
});
