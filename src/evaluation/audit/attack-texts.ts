import { formatCall } from "../../options/call.js";
import type { AuditPlan } from "./check.js";

/** What an audit changes of its standard attack. */
interface Changes {
  readonly epsilon?: number;
  readonly steps?: number;
  readonly restarts?: number;
  readonly loss?: string;
}

/** The audit's standard attack as text: PGD by the plan's steps and restarts, whose step is 2.5 radii over their number. */
export function pgdText({ norm, epsilon, budget }: AuditPlan, changes: Changes = {}): string {
  const radius = changes.epsilon ?? epsilon;
  const { steps = budget.steps, restarts = 1, loss } = changes;
  const options = { norm, epsilon: radius, stepSize: (2.5 * radius) / steps, steps, restarts };
  return formatCall("pgd", loss === undefined ? options : { ...options, loss });
}

/** One step of the whole radius from the image itself, as text: FGSM, by the true labels or the predicted ones. */
export function singleStepText({ norm, epsilon }: AuditPlan, labels: "given" | "predicted", radius = epsilon): string {
  return `pgd(norm=${norm}, epsilon=${radius}, stepSize=${radius}, steps=1, randomStart=false, labels=${labels})`;
}

/** The standard attack by gradients that are averaged over draws, as text. */
export function averagedText(plan: AuditPlan, draws: number, mean: "loss" | "softmax", epsilon = plan.epsilon): string {
  const text = pgdText(plan, { epsilon });
  return draws === 1 ? text : `expectation(${text}, draws=${draws}, mean=${mean})`;
}

/**
 * Square, as text. Its answers of a randomized network are means over the same 8 draws, which a long search fits: from 2,000 queries on
 * a quarter of them, over 32 draws, find more for the same passes (docs/audit.md).
 */
export function squareText({ norm, epsilon, subject }: AuditPlan, queries: number, radius = epsilon): string {
  const fits = subject.model.randomized && queries >= 2000;
  const spent = fits ? { queries: Math.ceil(queries / 4), draws: 32 } : { queries };
  return formatCall("square", { norm, epsilon: radius, ...spent });
}

/** AutoAttack by the plan's steps and queries, as text. */
export function suiteText({ norm, epsilon, budget }: AuditPlan, version: "standard" | "randomized"): string {
  return formatCall("autoattack", { norm, epsilon, version, steps: budget.suiteSteps, queries: budget.queries });
}

/**
 * APGD by cross-entropy and by a loss without a softmax, and targeted APGD, as text: AutoAttack's attacks by gradients. Each
 * attacks what those before it have left.
 */
export function adaptiveText({ norm, epsilon, budget, subject }: AuditPlan): string {
  const { adaptiveSteps: steps, targets } = budget;
  // The targeted form of the DLR needs four logits; of fewer the margin is what can be had.
  const loss = subject.model.classes >= 4 ? "dlr" : "margin";
  const options = { norm, epsilon, steps, stopWhenFooled: true };
  const ascents = ["cross-entropy", loss].map((name) => formatCall("apgd", { ...options, loss: name }));
  return `worst-case(${[...ascents, formatCall("apgd-t", { ...options, loss, targets })].join(", ")})`;
}
