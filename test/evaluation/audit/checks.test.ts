import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { countedNormal, countedUniform, imageIdRange, type Noise, type Tensor } from "../../../src/engine/index.js";
import type { AuditPlan, AuditResults, Check } from "../../../src/evaluation/audit/check.js";
import { adaptiveSteps } from "../../../src/evaluation/audit/checks/adaptive-steps.js";
import { claimedAttack } from "../../../src/evaluation/audit/checks/claim.js";
import { finite } from "../../../src/evaluation/audit/checks/finite.js";
import { gradients } from "../../../src/evaluation/audit/checks/gradients.js";
import { otherGradients } from "../../../src/evaluation/audit/checks/other-gradients.js";
import { otherLosses } from "../../../src/evaluation/audit/checks/other-losses.js";
import { lossConverged } from "../../../src/evaluation/audit/checks/progress-of-loss.js";
import { expectationOverDraws, knownDraw } from "../../../src/evaluation/audit/checks/randomness.js";
import { securityCurve } from "../../../src/evaluation/audit/checks/security-curve.js";
import { stableGradients } from "../../../src/evaluation/audit/checks/stable-gradients.js";
import { transfer, twin } from "../../../src/evaluation/audit/checks/transfer.js";
import { scoreBased } from "../../../src/evaluation/audit/checks/without-gradients.js";
import { verdictOf } from "../../../src/evaluation/audit/verdict.js";
import type { Classifier } from "../../../src/nn/classifier.js";
import type { Player } from "../../../src/trials/players.js";
import { worstOf } from "../../../src/trials/worst-of.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { judge, type Left, leaving } from "./judged.js";
import { budget, linearNetwork, planOf } from "./tiny-audit.js";

const quantized: Classifier = { ...tinyCnn, substitutes: { twin: tinyCnn, staircase: tinyCnn } };

describe("what makes a claim masked, and what overstated", () => {
  it("lets the best attack by gradients speak against one without", () => {
    // Square leaves 9 of 200 images less than PGD: masked, unless APGD by the same gradients reaches as many.
    expect(judge(scoreBased, [["square", 141]], { byGradients: 150 }).outcome).toBe("masked");
    expect(judge(scoreBased, [["square", 141]], { byGradients: 140 }).outcome).toBe("passed");
    const found = judge(adaptiveSteps, [
      ["apgd", 140],
      ["pgd", 150],
    ]);
    expect(found).toMatchObject({
      outcome: "noted",
      evidence: expect.stringContaining("leaves 75.0 %, APGD and targeted APGD 70.0 %"),
    });
    expect(verdictOf([found], leaving(150), worstOf([leaving(150), leaving(140), leaving(141)], false), 10)).toBe(
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
    expect(judge(twin, [["substitute:twin", 180]], { plan, byGradients: 195 }).outcome).toBe("masked");
  });

  it("masks where averaged gradients find much more, and skips that without averages", () => {
    const plan = planOf({ ...tinyCnn, randomized: true });
    expect(judge(expectationOverDraws, [["expectation", 180]], { plan }).outcome).toBe("masked");
    const none = { ...plan, budget: { ...budget, expectation: [1] } };
    expect(judge(expectationOverDraws, [], { plan: none }).outcome).toBe("skipped");
  });

  it("corrects for the number of comparisons", () => {
    // 6 of 200 images, all one way: p = 0.031, enough for one comparison, not for one of two or of seven.
    const single = { ...planOf(tinyCnn), budget: { ...budget, estimateSteps: 0 } };
    expect(judge(scoreBased, [["square", 194]], { plan: single }).outcome).toBe("masked");
    expect(judge(scoreBased, [["square", 194]]).outcome).toBe("passed");
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

  it("lets the curves of iterative attacks by gradients alone mask", () => {
    const rising = (part: string) =>
      judge(securityCurve, [
        [`${part}epsilon=0.0625`, 200],
        [part, 170],
      ]).outcome;
    expect(rising("apgd(")).toBe("masked");
    // FGSM overshoots, and Square says nothing of gradients.
    expect(
      judge(securityCurve, [
        ["stepSize=0.0625, steps=1", 200],
        ["steps=1,", 170],
      ]).outcome,
    ).toBe("passed");
    expect(
      judge(securityCurve, [
        ["square(epsilon=0.0625", 200],
        ["square", 170],
      ]).outcome,
    ).toBe("passed");
    const few = { ...planOf(tinyCnn), budget: { ...budget, curve: undefined } } as unknown as AuditPlan;
    expect(
      judge(
        securityCurve,
        [
          ["apgd(epsilon=0.0625", 200],
          ["apgd(", 170],
        ],
        { plan: few },
      ).outcome,
    ).toBe("passed");
  });

  it("calls what the claimed attack itself leaves no more than chance of not robust, whatever hides gradients", () => {
    const masked = { outcome: "masked", evidence: "" } as const;
    expect(verdictOf([masked], leaving(0), leaving(0), 10)).toBe("not robust");
    expect(verdictOf([masked], leaving(20), leaving(0), 10)).toBe("not robust");
    // The claimed attack has missed what others found: that is what masking means.
    expect(verdictOf([masked], leaving(21), leaving(0), 10)).toBe("masked");
    expect(verdictOf([masked, { outcome: "invalid", evidence: "" }], leaving(0), leaving(0), 10)).toBe("invalid");
    expect(verdictOf([], leaving(100), leaving(0), 10)).toBe("overstated");
  });

  it("calls a claimed attack invalid that does no harm where others do much", () => {
    expect(judge(claimedAttack, [], { byGradients: 150 }).outcome).toBe("invalid");
    // 5 of 200 images are no proof of harm, but then the others do not prove much more either.
    expect(judge(claimedAttack, [["pgd", 195]], { byGradients: 190 }).outcome).toBe("passed");
  });

  it("masks where images of other networks are stronger, and leaves out those that are not finite", () => {
    const plan: AuditPlan = { ...planOf(tinyCnn), subject: { model: tinyCnn, transfers: { a: tinyCnn, b: tinyCnn } } };
    const found = judge(transfer, [["transfer:b", 180]], { plan });
    expect(found).toEqual({
      outcome: "masked",
      evidence: "what fools a leaves 100.0 %, what fools b leaves 90.0 %, the best by gradients 100.0 %",
    });
    expect(judge(transfer, [["transfer:b", 180]], { plan, byGradients: 178 }).outcome).toBe("passed");
    expect(judge(transfer, [["transfer:b", 180]], { plan, notFinite: ["transfer:b"] })).toEqual({
      outcome: "passed",
      evidence: "what fools a leaves 100.0 %, the best by gradients 100.0 %, b is not finite",
    });
    expect(judge(transfer, [], { plan, notFinite: ["transfer:a", "transfer:b"] }).outcome).toBe("skipped");
    expect(judge(transfer, []).outcome).toBe("skipped");
  });

  it("masks where a network whose noise is known is the harder to fool, and skips that without known draws", () => {
    const plan = planOf({ ...tinyCnn, randomized: true });
    expect(judge(knownDraw, [["known-draw:0", 170]], { plan, byGradients: 150 }).outcome).toBe("masked");
    expect(judge(knownDraw, [["known-draw:0", 155]], { plan, byGradients: 150 }).outcome).toBe("passed");
    const none = { ...plan, budget: { ...budget, seeds: 0 } };
    expect(judge(knownDraw, [], { plan: none }).outcome).toBe("skipped");
    expect(judge(knownDraw, []).outcome).toBe("skipped");
  });
});

describe("finite", () => {
  const stopped = (what: "logits" | "gradients", player: Player) => ({ stops: [{ what, message: what, player }] });
  const outcomeOf = (...trials: ReturnType<typeof stopped>[]) =>
    judge(finite, [], { trials: trials as unknown as AuditResults["trials"] });

  it("fails by the audited network and its known draws alone", () => {
    expect(outcomeOf(stopped("logits", "transfer:a"), stopped("gradients", "substitute:twin")).outcome).toBe("passed");
    expect(outcomeOf(stopped("gradients", "known-draw:0")).outcome).toBe("masked");
    expect(outcomeOf(stopped("gradients", "network"), stopped("logits", "network"))).toEqual({
      outcome: "invalid",
      evidence: "logits (2 of 2 trials stopped)",
    });
  });
});

describe("loss-converged", () => {
  const found = (...losses: number[]) => judge(lossConverged, [], { trace: { losses, fooled: [] } });

  it("notes a loss that still rises, or that is no higher than at first", () => {
    expect(found(1, 2, 3, 3, 3, 3).outcome).toBe("passed");
    expect(found(1, 2, 3, 4, 5, 6).outcome).toBe("noted");
    expect(found(2, 2, 2, 2)).toMatchObject({
      outcome: "noted",
      evidence: expect.stringContaining("does not raise the loss"),
    });
  });

  it("says nothing of an attack of a few steps", () => {
    expect(found(1).outcome).toBe("skipped");
  });
});

/** 100 images of a linear network, of whose gradients a number are changed: those of the first images. */
function lookingAt(check: Check, changed: number, hide: (images: Tensor, noise: Noise) => Tensor, randomized = false) {
  const shape = [1, 4, 4] as const;
  const base = linearNetwork(shape, 3);
  const imageIds = imageIdRange(0, 100);
  const images = countedUniform({ seed: deriveSeed(0, "looked at"), draw: 0, imageIds }, 0, shape)
    .mul(0.5)
    .add(0.25);
  const model: Classifier = {
    ...base,
    randomized,
    logits(shown, noise) {
      const mask = noise.imageIds.to("float32").lt(changed).to("float32").reshape([-1, 1, 1, 1]);
      const hidden = hide(shown, noise).mul(mask);
      return base.logits(hidden.add(shown.mul(mask.neg().add(1))), noise);
    },
  };
  const labels = base.logits(images, { seed: deriveSeed(0, "labels"), draw: 0, imageIds }).argmax(1);
  return judge(check, [], { plan: planOf(model), sample: { images, labels, imageIds } });
}

describe("gradients", () => {
  const flat = (images: Tensor) => images.detach();
  /** The same value, and the gradient the other way. */
  const reversed = (images: Tensor) => images.detach().mul(2).sub(images);

  it("masks where the interval of images without a gradient lies above a tenth", () => {
    expect(lookingAt(gradients, 10, flat).outcome).toBe("passed");
    expect(lookingAt(gradients, 20, flat).outcome).toBe("masked");
  });

  it("masks where that of images whose gradient leads downhill lies above a quarter", () => {
    expect(lookingAt(gradients, 25, reversed)).toEqual({
      outcome: "passed",
      evidence: "zero for 0 % of images; a step of epsilon / 10 does not raise the loss for 25 %",
    });
    expect(lookingAt(gradients, 40, reversed).outcome).toBe("masked");
  });
});

describe("stable-gradients", () => {
  /** The same value, and a gradient that each draw multiplies, pixel by pixel, by normal noise. */
  const scattered = (images: Tensor, noise: Noise) => {
    const factors = countedNormal(noise, 2 ** 20, images.shape.slice(1));
    return images.detach().add(images.sub(images.detach()).mul(factors));
  };

  it("masks where gradients of other draws have nothing in common", () => {
    expect(lookingAt(stableGradients, 100, scattered, true).outcome).toBe("masked");
    expect(lookingAt(stableGradients, 0, scattered, true).outcome).toBe("passed");
    expect(lookingAt(stableGradients, 50, scattered, true).outcome).toBe("passed");
  });

  it("says nothing of fewer than 10 images with a gradient", () => {
    expect(lookingAt(stableGradients, 91, (images) => images.detach())).toEqual({
      outcome: "skipped",
      evidence: "fewer than 10 images have a gradient",
    });
    expect(lookingAt(stableGradients, 90, (images) => images.detach()).outcome).toBe("passed");
  });
});
