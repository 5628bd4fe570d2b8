import { type Attack, attackLabel } from "../../../attacks/index.js";
import { deriveSeed } from "../../../base/index.js";
import type { Value } from "../../../options/index.js";
import { accuracyOf, type Counts, whiteBox, wilson } from "../../../trials/index.js";
import { averagedAttack, singleStep, standardAttack } from "../attacks.js";
import { methodFor, wilsonMethod } from "../evidence/interval-methods.js";
import type { AuditPlan, AuditResults } from "../plan.js";
import type { CurvePoint } from "./curves.js";

/** Effort of which an attack may take more. */
export type Effort = "steps" | "restarts" | "draws";

/** Accuracy against an attack's steps, restarts, or the draws that it averages gradients over. */
export interface ConvergenceCurve {
  readonly against: Effort;
  readonly name: string;
  /** Method of the points' intervals. */
  readonly method: string;
  readonly points: readonly CurvePoint[];
}

/** Number of steps of an attack or of the one inside it, as far as its options have one. */
function stepsOf(attack: Value | undefined): number | undefined {
  if (attack === undefined || typeof attack.options.steps === "number")
    return attack?.options.steps as number;
  return stepsOf(attack.inside[0]);
}

/**
 * Curves of accuracy as attacks take more steps, restarts and draws, by trials that the checks have asked
 * for.
 */
export function convergenceOf(plan: AuditPlan, { of, has, trace }: AuditResults): ConvergenceCurve[] {
  const { budget, players, claim } = plan;
  const { randomized } = players.model;
  const method = methodFor(randomized);
  const point = (name: string, at: number, answers: Counts): CurvePoint => ({
    at,
    ...accuracyOf(answers, randomized, deriveSeed(plan.seed, "interval", "convergence", name, at)),
  });
  const curve = (
    against: Effort,
    name: string,
    given: readonly (readonly [at: number, attack: Attack])[],
  ) => {
    // An attack that ended in an error has no point.
    const efforts = new Map(given.filter(([, attack]) => has(whiteBox(attack))));
    const points = [...efforts].map(([at, attack]) => point(name, at, of(whiteBox(attack)).answers));
    return { against, name, method, points: points.sort((a, b) => a.at - b.at) };
  };
  const doubled = (of: number, attack: (effort: number) => Attack) =>
    [of, 2 * of].map((effort) => [effort, attack(effort)] as const);
  const claimSteps = stepsOf(claim.attack);
  const draws = budget.expectation.filter((count) => count > 1);
  return [
    ...(trace.stop === undefined ? [onTheWay(trace.fooled)] : []),
    curve("steps", "PGD of so many steps (1: FGSM)", [
      [1, singleStep(plan, "given")],
      ...doubled(budget.steps, (steps) => standardAttack(plan, { steps })),
    ]),
    ...(claimSteps === undefined
      ? []
      : [
          {
            against: "steps" as const,
            name: attackLabel(claim.attack!, { radius: false }),
            method,
            points: [point("claimed", claimSteps, of(claim).answers)],
          },
        ]),
    curve("restarts", "PGD", [
      [1, standardAttack(plan)],
      ...doubled(budget.restarts, (restarts) => standardAttack(plan, { restarts })),
    ]),
    ...(randomized && draws.length > 0
      ? (["loss", "softmax"] as const).map((mean) =>
          curve(
            "draws",
            `gradient of the mean ${mean}`,
            [1, ...draws].map((count) => [count, averagedAttack(plan, count, mean)]),
          ),
        )
      : []),
  ];
}

/** Accuracy before each step of the standard attack, by a single answer to each image of the sample. */
function onTheWay(fooled: readonly Uint8Array[]): ConvergenceCurve {
  const points = fooled.map((images, at) => {
    const correct = images.reduce((sum, success) => sum + 1 - success, 0);
    return { at, ...wilson(correct, images.length) };
  });
  return { against: "steps", name: "PGD on its way", method: wilsonMethod, points };
}
