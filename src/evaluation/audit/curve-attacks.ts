import { formatCall } from "../../options/call.js";
import type { Player } from "../../trials/players.js";
import { blackBox, type Trial, whiteBox } from "../../trials/trial.js";
import { averagedText, pgdText, singleStepText, squareText } from "./attack-texts.js";
import type { AuditPlan } from "./check.js";

/** An attack of a fixed radius that the security curve shows at each of its radii. */
export interface RadiusAttack {
  readonly name: string;
  at(epsilon: number): Trial;
  /** Its accuracy must fall as the ball grows: attacks of many steps by gradients. */
  readonly mustFall?: true;
}

/** An attack that looks for the smallest perturbation: one run gives its whole curve, by each image's length. */
export interface MinimalAttack {
  readonly name: string;
  /** The attack itself, whose images may lie outside of the ball. */
  readonly free: Trial;
  /** Those of its images that lie in the ball of the claim, which the worst case counts. */
  readonly within: Trial;
}

/** Radii of the curve, as shares of the audited one. */
const curveShares = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** The radii of the security curve: shares of the audited one, as far as the pixel range has room. */
export function curveRadii({ norm, epsilon }: Pick<AuditPlan, "norm" | "epsilon">): number[] {
  // Unrounded at 1, where the standard attack is the point: 8/255 has more digits.
  const radii = curveShares.map((share) => (share === 1 ? epsilon : Number((share * epsilon).toPrecision(6))));
  return radii.filter((radius) => norm !== "linf" || radius <= 1);
}

/** A minimal attack by its text, of the norm of the plan. */
export function minimalAttack(
  { epsilon }: AuditPlan,
  name: string,
  text: string,
  kind: typeof whiteBox,
): MinimalAttack {
  const free = kind(text);
  return { name, free, within: { ...kind(`within(${text}, epsilon=${epsilon})`), from: free } };
}

/** Names of the networks that give their images, as the curve calls them. */
function lenders(plan: AuditPlan): [name: string, player: Player][] {
  const { model, transfers = {} } = plan.subject;
  const others = plan.budget.curve === undefined ? [] : Object.keys(transfers);
  return [
    ...(model.substitutes?.twin === undefined ? [] : [["PGD on the twin", "substitute:twin"] as [string, Player]]),
    ...others.map((name): [string, Player] => [`PGD on ${name}`, `transfer:${name}`]),
  ];
}

/** The attacks of a fixed radius that a plan's curve shows. */
export function radiusAttacks(plan: AuditPlan): RadiusAttack[] {
  const { norm, budget, subject } = plan;
  const lent = lenders(plan).map(([name, player]) => ({
    name,
    at: (epsilon: number) => blackBox(pgdText(plan, { epsilon, restarts: budget.restarts }), player),
  }));
  const always: RadiusAttack[] = [
    { name: "PGD", at: (epsilon) => whiteBox(pgdText(plan, { epsilon })), mustFall: true },
    { name: "FGSM", at: (epsilon) => whiteBox(singleStepText(plan, "given", epsilon)) },
  ];
  if (budget.curve === undefined) return [...always, ...lent];
  const { queries, noiseTries, draws } = budget.curve;
  const apgd = (epsilon: number) =>
    formatCall("apgd", { norm, epsilon, steps: budget.adaptiveSteps, stopWhenFooled: true, loss: "margin" });
  return [
    ...always,
    { name: "APGD", at: (epsilon) => whiteBox(apgd(epsilon)), mustFall: true },
    ...(subject.model.randomized
      ? [
          {
            name: `PGD over ${draws} draws`,
            at: (epsilon: number) => whiteBox(averagedText(plan, draws, "loss", epsilon)),
          },
        ]
      : []),
    ...lent,
    { name: "Square", at: (epsilon) => blackBox(squareText(plan, queries, epsilon)) },
    { name: "noise", at: (epsilon) => blackBox(formatCall("noise", { norm, epsilon, tries: noiseTries })) },
  ];
}

/** HopSkipJump and, where the budget has it, the boundary attack. */
export function minimalByDecisions(plan: AuditPlan): MinimalAttack[] {
  const { norm } = plan;
  const { decisionSteps, boundarySteps } = plan.budget;
  return [
    minimalAttack(plan, "HopSkipJump", `hop-skip-jump(norm=${norm}, steps=${decisionSteps})`, blackBox),
    ...(boundarySteps === undefined
      ? []
      : [minimalAttack(plan, "boundary attack", `boundary(norm=${norm}, steps=${boundarySteps})`, blackBox)]),
  ];
}

/** The attacks of smallest perturbations that a plan's curve shows. */
export function minimalAttacks(plan: AuditPlan): MinimalAttack[] {
  const { norm, budget } = plan;
  const { steps, suiteSteps, targets } = budget;
  const byGradients = (name: string, text: string) => minimalAttack(plan, name, text, whiteBox);
  // Steps have an l2 length: one that crosses a ball in l2 is a small part of one in l-infinity.
  const fmn = byGradients("FMN", formatCall("fmn", { norm, steps, stepSize: norm === "linf" ? 10 : 1 }));
  const fab = byGradients("FAB", formatCall("fab-t", { norm, steps: suiteSteps, targets }));
  const decisions = minimalByDecisions(plan);
  if (budget.curve === undefined) return [fmn, fab, ...decisions];
  const other =
    norm === "l2" ? byGradients("DDN", `ddn(steps=${steps})`) : byGradients("DeepFool", "deepfool(norm=linf)");
  return [fmn, fab, other, ...decisions];
}
