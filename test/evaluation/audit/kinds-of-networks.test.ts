import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { countedUniform, imageIdRange, operators as ops } from "../../../src/engine/index.js";
import { type Audit, type AuditPlan, trialLabel, trialsOf, whiteBox } from "../../../src/evaluation/audit/index.js";
import { nanGradients } from "../../../src/evaluation/audit/self-test/broken-defenses.js";
import type { Classifier } from "../../../src/nn/classifier.js";
import { goldenImages, quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { audited, goldenSplit, linearNetwork, planOf, splitOf } from "./tiny-audit.js";

const randomImages = (shape: readonly [number, number, number]) =>
  countedUniform({ seed: deriveSeed(0, "pixels"), draw: 0, imageIds: imageIdRange(0, 4) }, 0, shape);

const outcomeOf = ({ lines }: Audit, name: string) => lines.find((line) => line.name === name)!;

// A few dozen attacks each: seconds, but not on a machine that does much else.
const patient = { timeout: 300_000 };

describe("an audit", patient, () => {
  it("in l2 attacks in l2 alone, but for epsilon 0.5, no bound and rotations", async () => {
    const claim = whiteBox("pgd(norm=l2, epsilon=0.5, stepSize=0.1, steps=8)");
    const plan: AuditPlan = { ...planOf(tinyCnn), norm: "l2", epsilon: 0.5, claim };
    const found = await audited(plan, goldenSplit(tinyCnn));
    const elsewhere = found.trials.filter(({ norm }) => norm !== "l2").map(({ label }) => label.replace(/\(.*/, ""));
    expect(new Set(elsewhere)).toEqual(new Set(["clean", "pgd", "unconstrained", "rotation-translation"]));
    for (const label of found.brokenBy) expect(label).toMatch(/^clean$|norm=l2/);
    expect(found.worst.accuracy).toBeLessThanOrEqual(found.claim.accuracy);
    for (const { trial, lengths, norm } of found.trials.filter((one) => found.brokenBy.includes(one.label))) {
      if (trial.attack !== "none") expect([norm, Math.max(...lengths) <= 0.5 + 1e-5]).toEqual(["l2", true]);
    }
  });

  it("of two classes needs no third", async () => {
    const model = linearNetwork([1, 4, 4], 2);
    const plan = planOf(model);
    expect(trialsOf(plan).map(trialLabel).join()).not.toContain("dlr,");
    const found = await audited(plan, splitOf(model, randomImages([1, 4, 4])));
    expect(found.clean.accuracy).toBe(1);
    expect(outcomeOf(found, "finite").outcome).toBe("passed");
  });

  it("of three channels attacks every one of them", async () => {
    const model = linearNetwork([3, 4, 4], 3);
    const found = await audited(planOf(model, 0.5), splitOf(model, randomImages([3, 4, 4])));
    expect(found.worst.accuracy).toBe(0);
    expect(found.verdict).toBe("not robust");
  });

  it("of a randomized network tells one draw, the vote and whoever may ask often apart", async () => {
    const found = await audited(planOf(quantizedCnn), goldenSplit(quantizedCnn));
    expect(found.majority).toBeDefined();
    expect(found.everyDraw).toBeDefined();
    expect(outcomeOf(found, "expectation").evidence).toContain("2 (mean softmax)");
  });
});

describe("a network whose numbers are not finite", patient, () => {
  const withNanGradients = nanGradients(tinyCnn);
  const nanLogits: Classifier = {
    ...tinyCnn,
    logits: (images, noise) => tinyCnn.logits(images, noise).div(images.mul(0).sumDim([1, 2, 3]).unsqueeze(1)),
  };
  /** Finite where images are clean, infinite once a pixel of the first row is raised by much. */
  const nanUnderAttack: Classifier = {
    ...tinyCnn,
    logits(images, noise) {
      const raised = images.sub(goldenImages.mul(255).round().div(255).amax().item()).gt(0).to("float32");
      const logits = tinyCnn.logits(images, noise);
      return logits.add(
        ops.where(raised.amax([1, 2, 3]).unsqueeze(1).gt(0), logits.fullLike(1e38).mul(1e38), logits.mul(0)),
      );
    },
  };

  it("is masked where gradients are NaN, and attacks without gradients still run", async () => {
    const found = await audited(planOf(withNanGradients, 0.3), goldenSplit(tinyCnn));
    expect(found.verdict).toBe("masked");
    expect(outcomeOf(found, "gradients")).toMatchObject({
      outcome: "masked",
      evidence: "gradients are NaN or infinite",
    });
    expect(outcomeOf(found, "finite").evidence).toContain("the gradient of the network's loss is not finite");
    expect(outcomeOf(found, "loss-converged").outcome).toBe("skipped");
    const square = found.trials.find(({ label }) => label.startsWith("square"))!;
    expect([square.stops, found.claim.accuracy]).toEqual([[], 1]);
    expect(found.worst.accuracy).toBeLessThan(1);
  });

  it.each([
    ["everywhere", nanLogits],
    ["under attack", nanUnderAttack],
  ])("is invalid where logits are NaN %s", async (_, model) => {
    const found = await audited(planOf(model, 0.3), goldenSplit(tinyCnn));
    expect(found.verdict).toBe("invalid");
    expect(outcomeOf(found, "finite").evidence).toMatch(/logits are (not finite|NaN|infinite)/);
  });

  it("says nothing of the audited network where it only lends its images", async () => {
    const transfers = { nan: withNanGradients, none: nanLogits };
    const plan = { ...planOf(tinyCnn), subject: { model: tinyCnn, transfers } };
    const [found, alone] = [
      await audited(plan, goldenSplit(tinyCnn)),
      await audited(planOf(tinyCnn), goldenSplit(tinyCnn)),
    ];
    expect(outcomeOf(found, "finite").outcome).toBe("passed");
    expect(outcomeOf(found, "transfer")).toMatchObject({
      outcome: "skipped",
      evidence: "nan is not finite, none is not finite",
    });
    expect([found.verdict, found.worst]).toEqual([alone.verdict, alone.worst]);
  });
});
