import { clean, type Trial } from "../../trials/index.js";
import { checklist } from "./checks/index.js";
import { baselinesOf } from "./evidence/baselines.js";
import type { AuditPlan } from "./plan.js";

/** Every trial that the claim and the checks need, each once, in the order of the checklist. */
export function trialsOf(plan: AuditPlan): Trial[] {
  const ofChecks = checklist().flatMap((check) => check.trials(plan));
  const wanted = [
    clean,
    plan.claim,
    ...baselinesOf(plan).map(({ trial }) => trial),
    ...ofChecks.flatMap((trial) => (trial.from ? [trial.from, trial] : [trial])),
  ];
  const byId = new Map<string, Trial>();
  for (const trial of wanted) {
    // A check that needs the claimed attack too knows whose images it shows, and after which trial.
    if (byId.get(trial.id) === plan.claim) byId.delete(trial.id);
    if (!byId.has(trial.id)) byId.set(trial.id, trial);
  }
  return [...byId.values()];
}
