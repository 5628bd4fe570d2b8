import { whiteBox } from "../../../trials/trial.js";
import { pgdText, singleStepText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAbove, percentOf } from "../difference.js";

const iterative = (plan: AuditPlan) => whiteBox(pgdText(plan));
const one = (plan: AuditPlan, labels: "given" | "predicted") => whiteBox(singleStepText(plan, labels));

/** A single step that beats many shows that the many are led astray. */
export const singleStep: Check = {
  name: "single-step",
  question: "Is an iterative attack at least as strong as a single step?",
  source: "Athalye et al. 2018, section 3.1",
  trials: (plan) => [iterative(plan), one(plan, "given")],
  judge(plan, { of }) {
    const [many, step] = [of(iterative(plan)).answers, of(one(plan, "given")).answers];
    const evidence = `one step leaves ${percentOf(step)}, ${plan.budget.steps} steps ${percentOf(many)}`;
    return { outcome: isAbove(many, step) ? "masked" : "passed", evidence };
  },
};

/** Accuracy that rises under attack: the perturbation tells the network the label that it was made with. */
export const labelLeak: Check = {
  name: "label-leak",
  question: "Does a single step with the true labels give them away?",
  source: "Kurakin et al. 2017, section 4.1",
  trials: (plan) => [one(plan, "given"), one(plan, "predicted")],
  judge(plan, { of, clean }) {
    const [given, predicted] = (["given", "predicted"] as const).map((labels) => of(one(plan, labels)).answers);
    const evidence = `clean ${percentOf(clean)}, one step from the true labels ${percentOf(given!)}, from the predicted ones ${percentOf(predicted!)}`;
    if (isAbove(given!, clean)) return { outcome: "invalid", evidence: `${evidence}: the attack raises accuracy` };
    return { outcome: isAbove(given!, predicted!, 5) ? "masked" : "passed", evidence };
  },
};
