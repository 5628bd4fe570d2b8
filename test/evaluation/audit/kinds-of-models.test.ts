import { describe, expect, it } from "vitest";
import { deepfool, pgd } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import { countedUniform, imageIdRange, operators as ops } from "../../../src/engine/index.js";
import { nanGradients } from "../../../src/evaluation/audit/self-test/broken-defenses.js";
import { trialsOf } from "../../../src/evaluation/audit/trials-of.js";
import type { Report } from "../../../src/evaluation/index.js";
import type { Classifier } from "../../../src/nn/index.js";
import { goldenImages, quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { audited, goldenSplit, linearModel, planOf, splitOf } from "./tiny-audit.js";

const randomImages = (shape: readonly [number, number, number]) =>
  countedUniform({ seed: deriveSeed(0, "pixels"), draw: 0, imageIds: imageIdRange(0, 4) }, 0, shape);

const lineOf = ({ lines }: Report, name: string) => lines.find((line) => line.name === name)!;

// A few dozen attacks each: seconds, but not on a machine that does much else.
const patient = { timeout: 300_000 };

describe("an audit", patient, () => {
  it("in l2 attacks in l2 alone, but for epsilon 0.5, no bound and rotations", async () => {
    const claim = "pgd(norm=l2, epsilon=0.5, stepSize=0.1, steps=8)";
    const report = await audited(tinyCnn, goldenSplit(tinyCnn), { epsilon: 0.5, norm: "l2", claim });
    const elsewhere = report.trials
      .filter(({ norm }) => norm !== "l2")
      .map(({ trial }) => trial.attack?.name);
    expect(new Set(elsewhere)).toEqual(new Set([undefined, "pgd", "unconstrained", "rotation-translation"]));
    expect(report.worst.accuracy).toBeLessThanOrEqual(report.claim.accuracy);
    for (const { trial: result } of report.worstImages) {
      if (result.trial.attack === undefined) continue;
      expect([result.norm, Math.max(...result.lengths) <= 0.5 + 1e-5]).toEqual(["l2", true]);
    }
  });

  it("of two classes needs no third", async () => {
    const model = linearModel([1, 4, 4], 2);
    expect(
      trialsOf(planOf(model)).flatMap(({ attack }) => (attack?.options.loss === "dlr" ? [attack] : [])),
    ).toEqual([]);
    const report = await audited(model, splitOf(model, randomImages([1, 4, 4])));
    expect(report.failed).toEqual([]);
    expect(report.clean.accuracy).toBe(1);
    expect(lineOf(report, "finite").outcome).toBe("passed");
  });

  it("of three channels attacks every one of them", async () => {
    const model = linearModel([3, 4, 4], 3);
    const report = await audited(model, splitOf(model, randomImages([3, 4, 4])), { epsilon: 0.5 });
    expect(report.worst.accuracy).toBe(0);
    expect(report.verdict.name).toBe("not robust");
  });

  it("of a randomized model tells one draw, the vote and an attacker who may ask often apart", async () => {
    const report = await audited(quantizedCnn, goldenSplit(quantizedCnn));
    expect(report.majority).toBeDefined();
    expect(report.everyDraw).toBeDefined();
    expect(lineOf(report, "expectation").evidence).toContain("by the mean softmax of 2");
  });
});

describe("a model that passes no gradient at all", patient, () => {
  // Pixels are compared with 0.5: nothing of the logits comes from the image by a gradient.
  const blocked: Classifier = {
    ...tinyCnn,
    logits: (images, noise) => tinyCnn.logits(images.ge(0.5).to("float32"), noise),
  };

  it("is audited as one whose gradients are zero, and masked", async () => {
    const report = await audited(blocked, goldenSplit(blocked));
    expect(report.failed).toEqual([]);
    expect(lineOf(report, "gradients")).toMatchObject({
      outcome: "masked",
      evidence: expect.stringContaining("zero for 100 % of images"),
    });
  });

  it("is left as it is by attacks that go by gradients", () => {
    const imageIds = imageIdRange(0, goldenImages.shape[0]!);
    const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds };
    const labels = blocked.logits(goldenImages, noise).argmax(1);
    const context = { seed: 0, imageIds };
    for (const attack of [pgd({ steps: 3, randomStart: false }), deepfool({ steps: 2 })])
      expect(attack(blocked, goldenImages, labels, context).eq(goldenImages).all().item()).toBe(1);
  });
});

describe("a model whose numbers are not finite", patient, () => {
  const withNanGradients = nanGradients(tinyCnn);
  const nanLogits: Classifier = {
    ...tinyCnn,
    logits: (images, noise) =>
      tinyCnn.logits(images, noise).div(images.mul(0).sumDim([1, 2, 3]).unsqueeze(1)),
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
  const split = goldenSplit(tinyCnn);

  it("is masked where gradients are NaN, and attacks without gradients still run", async () => {
    const report = await audited(withNanGradients, split, { epsilon: 0.3 });
    expect(report.verdict.name).toBe("masked");
    expect(lineOf(report, "gradients")).toMatchObject({
      outcome: "masked",
      evidence: "gradients are NaN or infinite",
    });
    expect(lineOf(report, "finite").evidence).toContain(
      "the gradient of the classifier's loss is not finite",
    );
    expect(lineOf(report, "loss-converged").outcome).toBe("skipped");
    const square = report.trials.find(({ trial }) => trial.attack?.name === "square")!;
    expect([square.stops, report.claim.accuracy]).toEqual([[], 1]);
    expect(report.worst.accuracy).toBeLessThan(1);
  });

  it.each([
    ["everywhere", nanLogits],
    ["under attack", nanUnderAttack],
  ])("is invalid where logits are NaN %s", async (_, model) => {
    const report = await audited(model, split, { epsilon: 0.3 });
    expect(report.verdict.text).toMatch(/^invalid: no accuracy of model classifier in this audit/);
    expect(lineOf(report, "finite").evidence).toMatch(/logits are (not finite|NaN|infinite)/);
  });

  it("says nothing of the audited model where it only lends its images", async () => {
    const transfers = { nan: withNanGradients, none: nanLogits };
    const [found, alone] = [await audited(tinyCnn, split, { transfers }), await audited(tinyCnn, split)];
    expect(lineOf(found, "finite").outcome).toBe("passed");
    expect(lineOf(found, "transfer")).toMatchObject({
      outcome: "skipped",
      evidence: "nan is not finite, none is not finite",
    });
    expect([found.verdict, found.worst]).toEqual([alone.verdict, alone.worst]);
  });
});
