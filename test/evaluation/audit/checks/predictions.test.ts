import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../../src/base/index.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  type Noise,
  operators as ops,
  type Tensor,
} from "../../../../src/engine/index.js";
import { predictions } from "../../../../src/evaluation/audit/checks/all.js";
import type { AuditResults } from "../../../../src/evaluation/audit/plan.js";
import type { Classifier } from "../../../../src/nn/index.js";
import { judge } from "../judged.js";
import { audited, linearModel, planOf, splitOf } from "../tiny-audit.js";

const shape = [1, 4, 4] as const;
const base = linearModel(shape, 3);
const imageIds = imageIdRange(0, 60);
const seed = deriveSeed(0, "predictions");
const images = countedUniform({ seed, draw: 0, imageIds }, 0, shape).mul(255).round().div(255);
const labels = base.logits(images, { seed, draw: 0, imageIds }).argmax(1);
const stays: AuditResults["again"] = () => ({ images: 60, changed: 0 });

/** Judgment of a model that changes the logits of a linear one. */
function judged(
  change: (logits: Tensor, images: Tensor, noise: Noise) => Tensor,
  { randomized = false, again = stays } = {},
) {
  const model: Classifier = {
    ...base,
    randomized,
    logits: (shown, noise) => change(base.logits(shown, noise), shown, noise),
  };
  return judge(predictions(), [], { plan: planOf(model), sample: { images, labels, imageIds }, again });
}

const hot = (classes: Tensor) =>
  ops.zeros([classes.shape[0]!, 3], "float32").scatterValue(1, classes.unsqueeze(1), 1);
/** 1 for images whose pixels are no gray levels of 8 bits, (N, 1). */
const offGrid = (shown: Tensor) =>
  shown.mul(255).sub(shown.mul(255).round()).abs().amax([1, 2, 3]).gt(0.01).to("float32").unsqueeze(1);

describe("predictions", () => {
  it("pass for a sound model, randomized or not", () => {
    const evidence = "logits, the same in every batch and when asked again";
    expect(judged((logits) => logits)).toEqual({ outcome: "passed", evidence });
    const noisy = (logits: Tensor, _: Tensor, noise: Noise) =>
      logits.add(countedNormal(noise, 2 ** 20, [3]).mul(2));
    expect(judged(noisy, { randomized: true })).toEqual({ outcome: "passed", evidence });
  });

  it("are asked of images with noise, which a model that knows the clean ones does not know", () => {
    const { outcome, evidence } = judged((logits, shown, noise) =>
      logits.add(countedNormal(noise, 2 ** 20, [3]).mul(offGrid(shown))),
    );
    expect([outcome, evidence]).toEqual(["invalid", expect.stringContaining("deterministic")]);
    // It abstains by equal logits, which count as class 0.
    const abstains = judged((logits, shown) => logits.mul(offGrid(shown).neg().add(1)));
    expect(abstains.outcome).toBe("invalid");
    expect(abstains.evidence).toMatch(/^all logits are equal for 60 of 60 images with noise/);
  });

  it("of a randomized model are no better under an image's own number", () => {
    const knowing = (logits: Tensor, _: Tensor, noise: Noise) => {
      const heads = countedUniform(noise, 2 ** 20, [1])
        .lt(0.8)
        .to("float32");
      return logits.mul(1e-3).add(hot(labels.indexSelect(0, noise.imageIds)).mul(heads));
    };
    const { outcome, evidence } = judged(knowing, { randomized: true });
    expect(outcome).toBe("invalid");
    expect(evidence).toMatch(/^accuracy .* own number, .* knows labels by the number of an image/);
  });

  it("stay what they were while the audit ran", () => {
    const { outcome, evidence } = judged((logits) => logits, { again: () => ({ images: 60, changed: 9 }) });
    expect(outcome).toBe("invalid");
    expect(evidence).toMatch(/^9 of 60 clean images were answered otherwise when asked again at the end/);
    expect(judged((logits) => logits, { again: () => undefined }).outcome).toBe("passed");
  });
});

it("an audit notices a model that changes after its first attack", { timeout: 300_000 }, async () => {
  let turned = false;
  const late: Classifier = {
    ...base,
    logits: (shown, noise) => {
      const logits = base.logits(shown, noise);
      return turned ? logits.neg() : logits;
    },
  };
  const work = audited(late, splitOf(base, images.slice(0, 0, 6)));
  for await (const event of work) {
    if (event.type === "trial" && event.outcome.trial.attack !== undefined) turned = true;
  }
  const { verdict, lines } = await work;
  expect(verdict.name).toBe("invalid");
  expect(lines.find(({ name }) => name === "predictions")!.evidence).toContain("6 of 6 clean images");
});
