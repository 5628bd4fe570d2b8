import { clean, type Trial } from "../../trials/index.js";
import { checklist } from "./checks/index.js";
import { baselinesOf } from "./evidence/baselines.js";
import type { AuditPlan } from "./plan.js";

/**
 * Every trial that the claim and the checks need, each once. Clean images come first and then the claim,
 * without which there is nothing to audit; the others in the order of the checklist.
 */
export function trialsOf(plan: AuditPlan): Trial[] {
  const ofChecks = checklist().flatMap((check) => check.trials(plan));
  const asked = [...baselinesOf(plan).map(({ trial }) => trial), ...ofChecks];
  // A check that needs the claimed attack too knows whose images it shows, and after which trial.
  const known = asked.find((trial) => trial !== plan.claim && trial.id === plan.claim.id);
  const byId = new Map<string, Trial>();
  for (const trial of [clean, known ?? plan.claim, ...asked].flatMap(withSource)) {
    if (!byId.has(trial.id)) byId.set(trial.id, trial);
  }
  return [...byId.values()];
}

/** Trial behind the one that it takes its images from. */
function withSource(trial: Trial): Trial[] {
  return trial.from === undefined ? [trial] : [trial.from, trial];
}
