import { describe, expect, it } from "vitest";
import type { AuditPlan, AuditResults } from "../../../src/evaluation/audit/check.js";
import { convergenceOf } from "../../../src/evaluation/audit/convergence-curves.js";
import { type Trial, trialLabel, whiteBox } from "../../../src/evaluation/audit/index.js";
import { Answers } from "../../../src/trials/answers.js";
import { quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { leaving } from "./judged.js";
import { planOf } from "./tiny-audit.js";

/** Curves where trials leave as many of 200 images as the first part of their label says that fits. */
function curves(plan: AuditPlan, left: readonly (readonly [part: string, right: number])[], stop?: string) {
  const of = (trial: Trial) => {
    const [, right] = left.find(([part]) => trialLabel(trial).includes(part))!;
    if (!plan.subject.model.randomized) return { answers: leaving(right) };
    const answers = new Answers(200, 2);
    for (const half of answers.halves) half.fill(1, 0, right);
    return { answers };
  };
  const fooled = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 1, 1, 0],
  ].map((images) => Uint8Array.from(images));
  const trace = { losses: [1, 2, 3], fooled, ...(stop === undefined ? {} : { stop }) };
  return convergenceOf(plan, { of, trace } as unknown as AuditResults).map(({ against, name, points }) => ({
    against,
    name,
    points: points.map(({ at, accuracy }) => [at, accuracy]),
  }));
}

const plan = { ...planOf(tinyCnn), claim: whiteBox("restarts(pgd(epsilon=0.05, steps=7), times=3)") };
const left = [
  ["restarts(pgd", 90],
  ["steps=1,", 150],
  ["steps=8,", 60],
  ["restarts=2", 50],
  ["draws=2, mean=loss", 30],
  ["draws=2, mean=softmax", 20],
  ["steps=4,", 80],
] as const;

describe("convergence", () => {
  it("is of one step, the steps and twice as many, of the claimed attack's, and of restarts", () => {
    expect(curves(plan, left)).toEqual([
      {
        against: "steps",
        name: "PGD on its way",
        points: [
          [0, 1],
          [1, 0.75],
          [2, 0.25],
        ],
      },
      {
        against: "steps",
        name: "at the end of so many (1: FGSM)",
        points: [
          [1, 0.75],
          [4, 0.4],
          [8, 0.3],
        ],
      },
      { against: "steps", name: "claimed attack", points: [[7, 0.45]] },
      {
        against: "restarts",
        name: "PGD",
        points: [
          [1, 0.4],
          [2, 0.25],
        ],
      },
    ]);
  });

  it("has no steps of a claim without any, and no way of an attack that stopped", () => {
    const found = curves({ ...plan, claim: whiteBox("fgsm(epsilon=0.05)") }, left, "NaN");
    expect(found.map(({ name }) => name)).toEqual(["at the end of so many (1: FGSM)", "PGD"]);
  });

  it("of a randomized network is of averaged draws as well", () => {
    const found = curves({ ...plan, subject: { model: quantizedCnn } }, left);
    expect(found.filter(({ against }) => against === "draws")).toEqual([
      {
        against: "draws",
        name: "gradient of the mean loss",
        points: [
          [1, 0.4],
          [2, 0.15],
        ],
      },
      {
        against: "draws",
        name: "gradient of the mean softmax",
        points: [
          [1, 0.4],
          [2, 0.1],
        ],
      },
    ]);
  });
});
