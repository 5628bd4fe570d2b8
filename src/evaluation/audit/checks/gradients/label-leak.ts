import { whiteBox } from "../../../../trials/index.js";
import { singleStep } from "../../attacks.js";
import { isAbove, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

const step = (plan: AuditPlan, labels: "given" | "predicted") => whiteBox(singleStep(plan, labels));

/** Accuracy that rises under attack: the perturbation tells the model the label that it was made with. */
export const labelLeak = defineCheck("label-leak", {
  question: "Does a single step with the true labels give them away?",
  source: "Kurakin et al. 2017, section 4.1",
  group: "gradients",
  trials: (plan) => [step(plan, "given"), step(plan, "predicted")],
  judge(plan, { of, clean }) {
    const [given, predicted] = (["given", "predicted"] as const).map(
      (labels) => of(step(plan, labels)).answers,
    );
    const evidence =
      `clean accuracy ${percentOf(clean)}, ${percentOf(given!)} after one step away from the true labels, ` +
      `${percentOf(predicted!)} away from the predicted ones`;
    if (isAbove(given!, clean))
      return { outcome: "invalid", evidence: `${evidence}: the attack raises accuracy` };
    const outcome = isAbove(given!, predicted!, 5) ? "masked" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [given!, predicted!]);
  },
});
