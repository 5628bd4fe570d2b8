import { countText } from "../../../../base/index.js";
import { whiteBox } from "../../../../trials/index.js";
import { singleStep as oneStep, standardAttack } from "../../attacks.js";
import { isAbove, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

const iterative = (plan: AuditPlan) => whiteBox(standardAttack(plan));
const single = (plan: AuditPlan) => whiteBox(oneStep(plan, "given"));

/** A single step that beats many shows that the many are led astray. */
export const singleStep = defineCheck("single-step", {
  question: "Is an iterative attack at least as strong as a single step?",
  source: "Athalye et al. 2018, section 3.1",
  group: "gradients",
  trials: (plan) => [iterative(plan), single(plan)],
  judge(plan, { of, clean }) {
    const [many, step] = [of(iterative(plan)).answers, of(single(plan)).answers];
    const steps = countText(plan.budget.steps, "step");
    const evidence = `accuracy ${percentOf(step)} under one step, ${percentOf(many)} under ${steps}`;
    const outcome = isAbove(many, step) ? "masked" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [many, step]);
  },
});
