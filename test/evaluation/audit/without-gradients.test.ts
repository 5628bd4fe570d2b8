import { describe, expect, it } from "vitest";
import type { AuditPlan } from "../../../src/evaluation/audit/check.js";
import { rotations } from "../../../src/evaluation/audit/checks/rotations.js";
import { decisionBased, noiseSearch, scoreBased } from "../../../src/evaluation/audit/checks/without-gradients.js";
import { budgets, trialLabel, trialsOf } from "../../../src/evaluation/audit/index.js";
import { verdictOf } from "../../../src/evaluation/audit/verdict.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { judge, leaving } from "./judged.js";
import { budget, planOf } from "./tiny-audit.js";

const { boundarySteps: _, gaussianTries: __, angles: ___, curve: ____, ...least } = { ...budget, estimateSteps: 0 };
const few: AuditPlan = { ...planOf(tinyCnn), budget: least };

describe.each([
  [scoreBased, ["square", "spsa", "nes"]],
  [decisionBased, ["hop-skip-jump", "boundary"]],
  [noiseSearch, ["noise", "Gaussian noise"]],
] as const)("$name", (check, names) => {
  it("masks where any of its attacks is stronger than the best by gradients", () => {
    const labels = check.trials(planOf(tinyCnn)).map(trialLabel);
    expect(labels).toHaveLength(names.length);
    labels.forEach((label, i) => {
      const found = judge(check, [[label, 141]], { byGradients: 150 });
      expect(found.outcome).toBe("masked");
      expect(found.evidence).toContain(`${names[i]} leaves 70.5 %`);
      expect(found.evidence).toContain("the best by gradients 75.0 %");
      expect(judge(check, [[label, 141]], { byGradients: 140 }).outcome).toBe("passed");
    });
  });

  it("has one attack where the budget has no more, which then needs no correction for their number", () => {
    const labels = check.trials(few).map(trialLabel);
    expect(labels).toHaveLength(1);
    // 6 of 200 images, all one way: p = 0.031, enough for one comparison alone.
    expect(judge(check, [[labels[0]!, 194]], { plan: few }).outcome).toBe("masked");
    expect(judge(check, [[labels[0]!, 194]]).outcome).toBe("passed");
  });
});

describe("Square's queries", () => {
  const textOf = (randomized: boolean, queries: number) => {
    const plan = planOf(tinyCnn);
    const { subject } = plan;
    const model = { ...subject.model, randomized };
    return scoreBased.trials({ ...plan, budget: { ...plan.budget, queries }, subject: { ...subject, model } })[0]!;
  };

  it("are fewer in more draws where a randomized network is asked so often that draws would be fitted", () => {
    expect(trialLabel(textOf(true, 5000))).toMatch(/queries=1250,.*draws=32/);
    expect(trialLabel(textOf(true, 500))).toMatch(/queries=500,.*draws=8/);
    expect(trialLabel(textOf(false, 5000))).toMatch(/queries=5000,.*draws=8/);
  });
});

describe("rotations", () => {
  it("notes what is left, whatever it is, and says that it judges nothing", () => {
    for (const left of [0, 200]) {
      const found = judge(rotations, [["rotation-translation", left]]);
      expect(found).toEqual({
        outcome: "noted",
        evidence:
          `clean 100.0 %, the worst of 2 angles up to 30 degrees with 5 x 5 shifts up to 3 pixels leaves ${left / 2}.0 %: ` +
          "not in the ball, so no part of worst case or verdict",
      });
      expect(verdictOf([found], leaving(150), leaving(150), 10)).toBe("robust as claimed");
    }
  });

  it("is skipped where the budget moves no images", () => {
    expect(judge(rotations, [], { plan: few })).toEqual({ outcome: "skipped", evidence: "the budget moves no images" });
  });
});

describe("budgets", () => {
  const attacksOf = (name: keyof typeof budgets) =>
    new Set(trialsOf({ ...planOf(tinyCnn), budget: budgets[name] }).map(trialLabel));
  const added = [/^nes\(/, /^spsa\(/, /boundary\(/, /distribution=gaussian/, /^rotation-translation\(/];

  it("standard and full have two attacks of each kind without gradients, and rotations; quick has one", () => {
    const has = (name: keyof typeof budgets) => added.map((part) => [...attacksOf(name)].some((one) => part.test(one)));
    expect(has("quick")).toEqual([false, false, false, false, false]);
    expect(has("standard")).toEqual([true, true, true, true, true]);
    expect(has("full")).toEqual([true, true, true, true, true]);
  });

  it("quick is named as it was, so that its kept audits are found", () => {
    expect(Object.keys(budgets.quick).join()).toBe(
      "images,draws,steps,restarts,adaptiveSteps,targets,expectation,suiteSteps,queries,estimateSteps,decisionSteps,noiseTries,seeds",
    );
  });

  it.each(["standard", "full"] as const)(
    "%s are named as they were as well, by all but the curve's attacks",
    (name) => {
      const { curve, ...named } = budgets[name];
      expect(curve.draws).toBeGreaterThan(1);
      expect(Object.keys(named).join()).toBe(
        "images,draws,steps,restarts,adaptiveSteps,targets,expectation,suiteSteps,queries,estimateSteps,decisionSteps,boundarySteps,noiseTries,gaussianTries,angles,seeds",
      );
    },
  );
});
