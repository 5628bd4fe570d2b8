import {
  type Attack,
  apgd,
  apgdT,
  autoattack,
  expectation,
  pgd,
  square,
  worstCase,
} from "../../attacks/index.js";
import type { LossName } from "../../nn/index.js";
import type { AuditPlan } from "./plan.js";

/** Changes of the audit's standard attack. */
interface Changes {
  readonly epsilon?: number;
  readonly steps?: number;
  readonly restarts?: number;
  readonly loss?: LossName;
}

/** The audit's standard attack: PGD by the plan's steps from one random start. */
export function standardAttack({ norm, epsilon, budget }: AuditPlan, changes: Changes = {}): Attack {
  const { epsilon: radius = epsilon, steps = budget.steps, ...others } = changes;
  return pgd({ norm, epsilon: radius, steps, ...others });
}

/** One step of the whole radius from the image itself, away from the true labels or the predicted ones. */
export function singleStep(
  { norm, epsilon }: AuditPlan,
  labels: "given" | "predicted",
  radius = epsilon,
): Attack {
  return pgd({ norm, epsilon: radius, stepSize: radius, steps: 1, randomStart: false, labels });
}

/** The standard attack by gradients that are averaged over draws. */
export function averagedAttack(
  plan: AuditPlan,
  draws: number,
  mean: "loss" | "softmax",
  epsilon = plan.epsilon,
): Attack {
  const attack = standardAttack(plan, { epsilon });
  return draws === 1 ? attack : expectation(attack, { draws, mean });
}

/**
 * Square. A randomized model answers it by means over the same 8 draws, which a long search fits. From 2,000
 * queries on a quarter of them, over 32 draws, find more for the same passes (docs/audit.md).
 */
export function squareAttack(
  { norm, epsilon, players }: AuditPlan,
  queries: number,
  radius = epsilon,
): Attack {
  const fits = players.model.randomized && queries >= 2000;
  const spent = fits ? { queries: Math.ceil(queries / 4), draws: 32 } : { queries };
  return square({ norm, epsilon: radius, ...spent });
}

/** AutoAttack by the plan's steps and queries. */
export function suite({ norm, epsilon, budget }: AuditPlan, version: "standard" | "randomized"): Attack {
  return autoattack({ norm, epsilon, version, steps: budget.suiteSteps, queries: budget.queries });
}

/**
 * AutoAttack's attacks by gradients: APGD by cross-entropy and by a loss without a softmax, and targeted
 * APGD. Each attacks the images that the one before did not turn.
 */
export function adaptiveAttack({ norm, epsilon, budget, players }: AuditPlan): Attack {
  const { adaptiveSteps: steps, targets } = budget;
  // The targeted DLR needs four logits; the margin needs two.
  const loss = players.model.classes >= 4 ? "dlr" : "margin";
  const options = { norm, epsilon, steps, stopWhenFooled: true };
  const ascents = (["cross-entropy", loss] as const).map((name) => apgd({ ...options, loss: name }));
  return worstCase([...ascents, apgdT({ ...options, loss, targets })]);
}
