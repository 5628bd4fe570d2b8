import type { Player } from "../../../../trials/index.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { judgeTransferred, madeOn } from "./transferred.js";

const others = ({ players }: AuditPlan) =>
  Object.keys(players.transfers ?? {}).map((name): Player => `transfer:${name}`);

/** Images that were made on another model must not be stronger either. */
export const transfer = defineCheck("transfer", {
  question: "Are adversarial images of other models no stronger than gradients?",
  source: "Athalye et al. 2018, section 3.1; Carlini et al. 2019, section 4.3",
  trials: (plan) => others(plan).map((player) => madeOn(plan, player)),
  judge: (plan, results) =>
    others(plan).length > 0
      ? judgeTransferred(plan, results, others(plan))
      : { outcome: "skipped", evidence: "no other model was given" },
});
