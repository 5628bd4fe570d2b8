import { describe, expect, it } from "vitest";
import { Answers } from "../../../src/evaluation/answers.js";
import type { AuditPlan, AuditResults, Check } from "../../../src/evaluation/audit/check.js";
import { adaptiveSteps } from "../../../src/evaluation/audit/checks/adaptive-steps.js";
import { otherGradients } from "../../../src/evaluation/audit/checks/other-gradients.js";
import { otherLosses } from "../../../src/evaluation/audit/checks/other-losses.js";
import { expectationOverDraws } from "../../../src/evaluation/audit/checks/randomness.js";
import { securityCurve } from "../../../src/evaluation/audit/checks/security-curve.js";
import { twin } from "../../../src/evaluation/audit/checks/transfer.js";
import { scoreBased } from "../../../src/evaluation/audit/checks/without-gradients.js";
import { trialLabel } from "../../../src/evaluation/audit/index.js";
import type { Trial } from "../../../src/evaluation/audit/trial.js";
import { verdictOf } from "../../../src/evaluation/audit/verdict.js";
import { worstOf } from "../../../src/evaluation/worst-of.js";
import type { Classifier } from "../../../src/nn/classifier.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { budget, planOf } from "./tiny-audit.js";

/** Answers of a deterministic network to 200 images, of which the last ones are wrong. */
function leaving(right: number): Answers {
  const answers = new Answers(200, 1);
  answers.halves[0].set(Array.from({ length: 200 }, (_, i) => (i < right ? 1 : 0)));
  return answers;
}

/** How many of 200 images each trial leaves, found by a part of its label; the first that fits counts. */
type Left = readonly (readonly [part: string, right: number])[];

function judge(
  check: Check,
  left: Left,
  { plan = planOf(tinyCnn), whiteBox = 200 }: { plan?: AuditPlan; whiteBox?: number } = {},
) {
  const of = (trial: Trial) => {
    const label = trialLabel(trial);
    const [, right] = left.find(([part]) => label.includes(part)) ?? ["", 200];
    return { trial, label, answers: leaving(right) };
  };
  const results = { of, clean: leaving(200), whiteBox: leaving(whiteBox), worst: leaving(whiteBox) };
  return check.judge(plan, results as unknown as AuditResults);
}

const quantized: Classifier = { ...tinyCnn, substitutes: { twin: tinyCnn, staircase: tinyCnn } };

describe("what makes a claim masked, and what overstated", () => {
  it("lets the best attack by gradients speak against one without", () => {
    // Square leaves 9 of 200 images less than PGD: masked, unless APGD by the same gradients reaches as many.
    expect(judge(scoreBased, [["square", 141]], { whiteBox: 150 }).outcome).toBe("masked");
    expect(judge(scoreBased, [["square", 141]], { whiteBox: 140 }).outcome).toBe("passed");
    const found = judge(adaptiveSteps, [
      ["apgd", 140],
      ["pgd", 150],
    ]);
    expect(found).toMatchObject({
      outcome: "noted",
      evidence: expect.stringContaining("leaves 75.0 %, APGD and targeted APGD 70.0 %"),
    });
    expect(verdictOf([found], leaving(150), worstOf([leaving(150), leaving(140), leaving(141)]), 10)).toBe(
      "overstated",
    );
  });

  it("lets a stronger loss overstate a claim, and scaled logits mask it only where they beat every loss", () => {
    expect(
      judge(otherLosses, [
        ["loss=margin", 120],
        ["temperature", 125],
      ]).outcome,
    ).toBe("noted");
    expect(
      judge(otherLosses, [
        ["loss=margin", 190],
        ["jacobian-scaling", 120],
      ]).outcome,
    ).toBe("masked");
    expect(judge(otherLosses, [["loss=dlr", 199]]).outcome).toBe("passed");
  });

  it("masks where another gradient of the quantizers finds much more", () => {
    const plan = planOf(quantized);
    expect(judge(otherGradients, [["through=twin", 180]], { plan }).outcome).toBe("masked");
    expect(judge(otherGradients, [["through=staircase", 192]], { plan }).outcome).toBe("noted");
    expect(judge(otherGradients, []).outcome).toBe("skipped");
    expect(judge(twin, [["substitute:twin", 180]], { plan, whiteBox: 195 }).outcome).toBe("masked");
  });

  it("masks where averaged gradients find much more, and skips that without averages", () => {
    const plan = planOf({ ...tinyCnn, randomized: true });
    expect(judge(expectationOverDraws, [["expectation", 180]], { plan }).outcome).toBe("masked");
    const none = { ...plan, budget: { ...budget, expectation: [1] } };
    expect(judge(expectationOverDraws, [], { plan: none }).outcome).toBe("skipped");
  });

  it("corrects for the number of comparisons", () => {
    // 6 of 200 images alone: 3 points, and one comparison's interval is +- 2.6, one of seven's +- 3.5.
    expect(judge(scoreBased, [["square", 194]]).outcome).toBe("masked");
    const rising: Left = [
      ["epsilon=0.0625", 200],
      ["pgd", 194],
    ];
    expect(judge(securityCurve, rising).outcome).toBe("passed");
    expect(
      judge(securityCurve, [
        ["epsilon=0.0625", 200],
        ["pgd", 185],
      ]).outcome,
    ).toBe("masked");
  });
});
