import { describe, expect, it } from "vitest";
import { pgd } from "../../src/attacks/index.js";
import { deriveSeed, NotFiniteError } from "../../src/base/index.js";
import { imageIdRange } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { goldenImages, goldenLabels, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "not finite"), imageIds: imageIdRange(0, 6) };
const nanLogits: Classifier = { ...tinyCnn, logits: (x, noise) => tinyCnn.logits(x, noise).mul(Number.NaN) };
/** The gradient of 0 * sqrt(0) is NaN; the value is 0. */
const nanGradients: Classifier = {
  ...tinyCnn,
  logits(images, noise) {
    const nothing = images.sub(images.detach()).abs().pow(0.5).sumDim([1, 2, 3]).unsqueeze(1);
    return tinyCnn.logits(images, noise).add(nothing.mul(0));
  },
};

describe("what is not finite", () => {
  it.each([
    ["logits", nanLogits],
    ["gradients", nanGradients],
  ] as const)("is the %s where the logits say so", (what, model) => {
    let thrown: unknown;
    try {
      pgd({ steps: 1 })(model, goldenImages, goldenLabels, context);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NotFiniteError);
    expect(thrown).toHaveProperty("what", what);
  });
});
