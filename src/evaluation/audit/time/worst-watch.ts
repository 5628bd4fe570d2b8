import { hasFailed, type TrialOutcome, WorstSoFar } from "../../../trials/index.js";
import { inBall } from "../conclude.js";
import type { AuditPlan } from "../plan.js";

/**
 * Watches an audit's worst case fall: a function that is told each outcome, and returns the accuracy over
 * those so far whose images lie in the ball of the claim.
 */
export function worstWatch(plan: AuditPlan): (outcome: TrialOutcome) => number | undefined {
  const worst = new WorstSoFar(plan.players.model.randomized);
  return (outcome) => {
    if (!hasFailed(outcome) && inBall(plan, outcome.trial)) worst.add(outcome.answers);
    return worst.accuracy;
  };
}
