import {
  type Attack,
  apgd,
  boundary,
  ddn,
  deepfool,
  fabT,
  fmn,
  hopSkipJump,
  noise,
  within,
} from "../../../attacks/index.js";
import { blackBox, type Player, type Trial, whiteBox } from "../../../trials/index.js";
import { averagedAttack, singleStep, squareAttack, standardAttack } from "../attacks.js";
import type { AuditPlan } from "../plan.js";

/** Attack of a fixed radius that the security curve shows at each of its radii. */
export interface RadiusAttack {
  readonly name: string;
  at(epsilon: number): Trial;
  /** Accuracy under it must fall as the ball grows: attacks of many steps by gradients. */
  readonly mustFall?: true;
}

/**
 * Attack that looks for the smallest perturbation: one run gives its whole curve, by the length for each
 * image.
 */
export interface MinimalAttack {
  readonly name: string;
  /** Trial of the attack itself, whose images may lie outside of the ball. */
  readonly free: Trial;
  /** Trial of those of its images that lie in the ball of the claim, which the worst case counts. */
  readonly within: Trial;
}

/** Radii of the curve, as shares of the audited one. */
const curveShares = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** Radii of the security curve: shares of the audited one, as far as the pixel range has room. */
export function curveRadii({ norm, epsilon }: Pick<AuditPlan, "norm" | "epsilon">): number[] {
  // Unrounded at 1, where the standard attack is the point.
  const radii = curveShares.map((share) => (share === 1 ? epsilon : rounded(share * epsilon)));
  return radii.filter((radius) => norm !== "linf" || radius <= 1);
}

/** Radius as a number of gray levels where it is a whole one, else in six digits. */
function rounded(radius: number): number {
  const levels = Math.round(radius * 255);
  return Math.abs(radius * 255 - levels) < 1e-9 ? levels / 255 : Number(radius.toPrecision(6));
}

function minimal({ epsilon }: AuditPlan, name: string, attack: Attack, kind: typeof whiteBox): MinimalAttack {
  const free = kind(attack);
  return { name, free, within: kind(within(attack, { epsilon }), { from: free }) };
}

/** Players that give their images, by their names on the curve. */
function lenders({ players, lenders: names, budget }: AuditPlan): [name: string, player: Player][] {
  const others = budget.curve === undefined ? [] : Object.keys(players.transfers ?? {});
  return [
    ...names.map((name): [string, Player] => [`PGD on ${name}`, `surrogate:${name}`]),
    ...others.map((name): [string, Player] => [`PGD on ${name}`, `transfer:${name}`]),
  ];
}

/** Attacks of a fixed radius that a plan's curve shows. */
export function radiusAttacks(plan: AuditPlan): RadiusAttack[] {
  const { norm, budget, players } = plan;
  const lent = lenders(plan).map(([name, player]) => ({
    name,
    at: (epsilon: number) =>
      blackBox(standardAttack(plan, { epsilon, restarts: budget.restarts }), { on: player }),
  }));
  const always: RadiusAttack[] = [
    { name: "PGD", at: (epsilon) => whiteBox(standardAttack(plan, { epsilon })), mustFall: true },
    { name: "FGSM", at: (epsilon) => whiteBox(singleStep(plan, "given", epsilon)) },
  ];
  if (budget.curve === undefined) return [...always, ...lent];
  const { queries, noiseTries, draws } = budget.curve;
  const { adaptiveSteps: steps } = budget;
  const adaptive = (epsilon: number) => apgd({ norm, epsilon, steps, stopWhenFooled: true, loss: "margin" });
  const averaged = (epsilon: number) => whiteBox(averagedAttack(plan, draws, "loss", epsilon));
  return [
    ...always,
    { name: "APGD", at: (epsilon) => whiteBox(adaptive(epsilon)), mustFall: true },
    ...(players.model.randomized ? [{ name: `PGD over ${draws} draws`, at: averaged }] : []),
    ...lent,
    { name: "Square", at: (epsilon) => blackBox(squareAttack(plan, queries, epsilon)) },
    { name: "noise", at: (epsilon) => blackBox(noise({ norm, epsilon, tries: noiseTries })) },
  ];
}

/** HopSkipJump and, where the budget has it, the boundary attack. */
export function minimalByDecisions(plan: AuditPlan): MinimalAttack[] {
  const { norm } = plan;
  const { decisionSteps, boundarySteps } = plan.budget;
  const jumping = minimal(plan, "HopSkipJump", hopSkipJump({ norm, steps: decisionSteps }), blackBox);
  if (boundarySteps === undefined) return [jumping];
  return [jumping, minimal(plan, "boundary attack", boundary({ norm, steps: boundarySteps }), blackBox)];
}

/** Attacks of smallest perturbations that a plan's curve shows. */
export function minimalAttacks(plan: AuditPlan): MinimalAttack[] {
  const { norm, budget } = plan;
  const { steps, suiteSteps, targets } = budget;
  const byGradients = (name: string, attack: Attack) => minimal(plan, name, attack, whiteBox);
  // Steps have an l2 length: one that crosses a ball in l2 is a small part of one in l-infinity.
  const fastest = byGradients("FMN", fmn({ norm, steps, stepSize: norm === "linf" ? 10 : 1 }));
  const boundaries = byGradients("FAB", fabT({ norm, steps: suiteSteps, targets }));
  const decisions = minimalByDecisions(plan);
  if (budget.curve === undefined) return [fastest, boundaries, ...decisions];
  const other =
    norm === "l2" ? byGradients("DDN", ddn({ steps })) : byGradients("DeepFool", deepfool({ norm }));
  return [fastest, boundaries, other, ...decisions];
}
