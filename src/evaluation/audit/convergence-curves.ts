import { deriveSeed } from "../../base/index.js";
import { accuracyOf, type Counts } from "../../trials/answers.js";
import { wilson } from "../../trials/interval.js";
import { attackOf, type Trial, whiteBox } from "../../trials/trial.js";
import { averagedText, pgdText, singleStepText } from "./attack-texts.js";
import type { AuditPlan, AuditResults } from "./check.js";
import type { CurvePoint } from "./curves.js";

/** What an attack may take more of. */
export type Effort = "steps" | "restarts" | "draws";

/** Accuracy against an attack's steps, restarts, or the draws that it averages gradients over. */
export interface ConvergenceCurve {
  readonly against: Effort;
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

/** The number of steps of an attack or of the one inside it, as far as its options have one. */
function stepsOf(trial: Trial): number | undefined {
  for (let call = attackOf(trial)?.call; call !== undefined; call = call.of?.[0]) {
    if (typeof call.options.steps === "number") return call.options.steps;
  }
  return undefined;
}

/** How accuracy falls as attacks take more steps, restarts and draws: of trials that the checks have asked for. */
export function convergenceOf(plan: AuditPlan, { of, trace }: AuditResults): ConvergenceCurve[] {
  const { budget, subject, claim } = plan;
  const { randomized } = subject.model;
  const point = (name: string, at: number, answers: Counts): CurvePoint => ({
    at,
    ...accuracyOf(answers, randomized, deriveSeed(plan.seed, "interval", "convergence", name, at)),
  });
  const curve = (against: Effort, name: string, given: readonly (readonly [at: number, attack: string])[]) => {
    const efforts = new Map(given);
    const points = [...efforts].map(([at, attack]) => point(name, at, of(whiteBox(attack)).answers));
    return { against, name, points: points.sort((a, b) => a.at - b.at) };
  };
  const claimSteps = stepsOf(claim);
  const draws = budget.expectation.filter((count) => count > 1);
  return [
    ...(trace.stop === undefined ? [onTheWay(trace.fooled)] : []),
    curve("steps", "at the end of so many (1: FGSM)", [
      [1, singleStepText(plan, "given")],
      ...[1, 2].map((times) => [times * budget.steps, pgdText(plan, { steps: times * budget.steps })] as const),
    ]),
    ...(claimSteps === undefined
      ? []
      : [
          {
            against: "steps" as const,
            name: "claimed attack",
            points: [point("claimed", claimSteps, of(claim).answers)],
          },
        ]),
    curve("restarts", "PGD", [
      [1, pgdText(plan)],
      ...[1, 2].map(
        (times) => [times * budget.restarts, pgdText(plan, { restarts: times * budget.restarts })] as const,
      ),
    ]),
    ...(randomized && draws.length > 0
      ? (["loss", "softmax"] as const).map((mean) =>
          curve(
            "draws",
            `gradient of the mean ${mean}`,
            [1, ...draws].map((count) => [count, averagedText(plan, count, mean)]),
          ),
        )
      : []),
  ];
}

/** Where the standard attack stands before each of its steps: a single answer to each image of the sample. */
function onTheWay(fooled: readonly Uint8Array[]): ConvergenceCurve {
  const points = fooled.map((images, at) => {
    const right = images.reduce((sum, success) => sum + 1 - success, 0);
    return { at, ...wilson(right, images.length) };
  });
  return { against: "steps", name: "PGD on its way", points };
}
