import type { Player } from "../../../../trials/index.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { judgeTransferred, madeOn } from "./transferred.js";

const lenders = (plan: AuditPlan) => plan.lenders.map((name): Player => `surrogate:${name}`);

/**
 * Images that fool a surrogate, such as the noise-free mean, should not fool the model more than its own
 * gradients.
 */
export const surrogates = defineCheck("surrogates", {
  question: "Are adversarial images of the model's surrogates no stronger than gradients?",
  source: "Athalye et al. 2018, section 4.1",
  trials: (plan) => lenders(plan).map((player) => madeOn(plan, player)),
  judge: (plan, results) =>
    plan.lenders.length > 0
      ? judgeTransferred(plan, results, lenders(plan))
      : { outcome: "skipped", evidence: "the model has no surrogate with answers of its own" },
});
