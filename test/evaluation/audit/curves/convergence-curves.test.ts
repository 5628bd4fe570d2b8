import { describe, expect, it } from "vitest";
import { fgsm, pgd, restarts } from "../../../../src/attacks/index.js";
import { averagedAttack, singleStep, standardAttack } from "../../../../src/evaluation/audit/attacks.js";
import { convergenceOf } from "../../../../src/evaluation/audit/curves/convergence-curves.js";
import type { AuditPlan, AuditResults } from "../../../../src/evaluation/audit/plan.js";
import { Answers, type Trial, whiteBox } from "../../../../src/trials/index.js";
import { quantizedCnn, tinyCnn } from "../../../attacks/tiny-networks.js";
import { leaving } from "../judged.js";
import { planOf } from "../tiny-audit.js";

const claim = whiteBox(restarts(pgd({ epsilon: 0.05, steps: 7 }), { times: 3 }));
const plan = { ...planOf(tinyCnn), claim };

/** Correct answers of 200 under the trials of a plan. */
const under = (of: AuditPlan): ReadonlyMap<string, number> =>
  new Map(
    [
      [claim, 90],
      [whiteBox(fgsm({ epsilon: 0.05 })), 150],
      [whiteBox(singleStep(of, "given")), 150],
      [whiteBox(standardAttack(of)), 80],
      [whiteBox(standardAttack(of, { steps: 8 })), 60],
      [whiteBox(standardAttack(of, { restarts: 2 })), 50],
      [whiteBox(averagedAttack(of, 2, "loss")), 30],
      [whiteBox(averagedAttack(of, 2, "softmax")), 20],
    ].map(([trial, correct]) => [(trial as Trial).id, correct as number]),
  );

/** Curves of a plan; trials without counts have ended in an error. */
function curves(of: AuditPlan, { stop, failed }: { stop?: string; failed?: Trial } = {}) {
  const counts = under(of);
  const answersOf = (correct: number) => {
    if (!of.players.model.randomized) return leaving(correct);
    const answers = new Answers(200, 2);
    for (const half of answers.halves) half.fill(1, 0, correct);
    return answers;
  };
  const fooled = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 1, 1, 0],
  ].map((images) => Uint8Array.from(images));
  const results = {
    of: (trial: Trial) => ({ answers: answersOf(counts.get(trial.id)!) }),
    has: ({ id }: Trial) => counts.has(id) && id !== failed?.id,
    trace: { losses: [1, 2, 3], fooled, ...(stop === undefined ? {} : { stop }) },
  };
  return convergenceOf(of, results as unknown as AuditResults).map(({ against, name, points }) => ({
    against,
    name,
    points: points.map(({ at, accuracy }) => [at, accuracy]),
  }));
}

describe("convergence", () => {
  const steps = "PGD of so many steps (1: FGSM)";

  it("is of one step, the steps and twice as many, of the claimed attack's, and of restarts", () => {
    expect(curves(plan)).toEqual([
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
        name: steps,
        points: [
          [1, 0.75],
          [4, 0.4],
          [8, 0.3],
        ],
      },
      { against: "steps", name: "PGD-7, 3 restarts", points: [[7, 0.45]] },
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
    const found = curves({ ...plan, claim: whiteBox(fgsm({ epsilon: 0.05 })) }, { stop: "NaN" });
    expect(found.map(({ name }) => name)).toEqual([steps, "PGD"]);
  });

  it("leaves out the attack that ended in an error", () => {
    const found = curves(plan, { failed: whiteBox(standardAttack(plan, { steps: 8 })) });
    expect(found.find(({ name }) => name === steps)!.points).toEqual([
      [1, 0.75],
      [4, 0.4],
    ]);
  });

  it("of a randomized model is of averaged draws as well", () => {
    const found = curves({ ...planOf(quantizedCnn), claim });
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
