import { describe, expect, test } from "vitest";
import { toLength1_, toMeanSize1_ } from "../../src/attacks/geometry/norms.js";
import { attacks } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedNormal, imageIdRange, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { grayImages, linearClassifier, randomWeights, zeroLabels } from "./linear-networks.js";
import { maxDifference, randomBatch, randomCnn } from "./tiny-networks.js";

const ids = imageIdRange(0, 5);
const context = { seed: deriveSeed(0, "scale"), imageIds: ids };

/** Powers of two, by which float32 multiplies without rounding. */
const scaled = (model: Classifier, power: number): Classifier => ({
  ...model,
  logits: (images, noise) => model.logits(images, noise).mul(2 ** power),
});

describe("vectors of any scale that float32 holds", () => {
  const vectors = countedNormal({ ...context, draw: 0 }, 0, [2, 3, 4]);
  const lengths = (of: Tensor) => of.square().sumDim([1, 2, 3]).sqrt().toNumbers();

  test.each([-120, -70, 0, 70, 120])("have length 1 after scaling by 2^%i", (power) => {
    const unit = vectors.mul(2 ** power);
    toLength1_(unit);
    for (const length of lengths(unit)) expect(length).toBeCloseTo(1, 6);
    const mean = vectors.mul(2 ** power);
    toMeanSize1_(mean);
    for (const size of mean.abs().meanDim([1, 2, 3]).toNumbers()) expect(size).toBeCloseTo(1, 6);
  });

  test("have the length of their nonzero elements, and stay 0 where there are none", () => {
    const some = vectors.mul(vectors.select(1, 0).gt(0).unsqueeze(1)).mul(2 ** -140);
    const rows = some.mul(ids.gt(0).reshape([-1, 1, 1, 1]));
    toLength1_(rows);
    const [first, ...others] = lengths(rows);
    expect(first).toBe(0);
    for (const length of others) expect(length).toBeCloseTo(1, 3);
    const none = vectors.zerosLike();
    toMeanSize1_(none);
    expect(none.abs().amax().item()).toBe(0);
  });
});

/**
 * Their losses are multiples of the logits, or their boundaries the same: the scale is not to be seen in the
 * result.
 */
const scaleFree = [
  "pgd(norm=l2, epsilon=0.4, steps=5, loss=margin)",
  "pgd(norm=l1, epsilon=3, steps=5, loss=margin)",
  "pgd(norm=l2, epsilon=0.4, steps=5, loss=dlr)",
  "apgd(norm=l2, epsilon=0.4, steps=8, loss=margin)",
  "apgd(norm=l1, epsilon=3, steps=8, loss=dlr)",
  "apgd-t(norm=l2, epsilon=0.4, steps=5, targets=2)",
  "nes(norm=l2, epsilon=0.4, steps=3, samples=10, sigma=0.01)",
  "spsa(epsilon=0.2, steps=4, samples=10)",
  "spsa(norm=l2, epsilon=0.4, steps=4, samples=10)",
  "deepfool(steps=5)",
  "deepfool(norm=linf, steps=5)",
  "fmn(norm=linf, steps=8)",
  "fmn(norm=l2, steps=8)",
  "fmn(norm=l1, steps=8)",
  "fab(norm=linf, steps=3)",
  "fab(norm=l2, steps=3)",
  "fab(norm=l1, steps=3)",
  "fab-t(norm=l2, steps=3, targets=2)",
  "jacobian-scaling(pgd(norm=l2, epsilon=0.4, steps=3))",
];

describe.each(scaleFree)("%s", (text) => {
  const { images, labels } = randomBatch(5, randomCnn);
  const attacked = (power: number) => attacks.parse(text)(scaled(randomCnn, power), images, labels, context);

  test.each([-80, 40])("goes the same way where logits are multiplied by 2^%i", (power) => {
    expect(maxDifference(attacked(0), images)).toBeGreaterThan(0);
    expect(maxDifference(attacked(power), attacked(0))).toBeLessThan(2e-6);
  });
});

describe("cross-entropy of two classes", () => {
  const shape = [1, 4, 4] as const;
  const weights = randomWeights(16);
  const images = grayImages(5, shape);
  // Class 0 leads by 1, and the gradient is exp(-1), exp(-32) and exp(-80) of the weights.
  const model = linearClassifier(shape, weights, -1 - 0.5 * weights.sum().item());
  const times = (factor: number): Classifier => ({
    ...model,
    logits: (x, noise) => model.logits(x, noise).mul(factor),
  });

  test.each([
    "bim(norm=l2, epsilon=0.2, steps=4)",
    "pgd(norm=l2, epsilon=0.2, steps=4)",
    "pgd(norm=l1, epsilon=1, steps=4)",
    "mi-fgsm(norm=l2, epsilon=0.2, steps=4)",
    "ni-fgsm(norm=l2, epsilon=0.2, steps=4)",
  ])("does not shorten the steps of %s where the classifier is sure", (text) => {
    const attacked = (factor: number) => attacks.parse(text)(times(factor), images, zeroLabels(5), context);
    const ascent = (of: Tensor) =>
      of
        .sub(images)
        .flatten(1)
        .matmul(weights.reshape([16, 1]))
        .toNumbers();
    for (const factor of [32, 80]) expect(maxDifference(attacked(factor), attacked(1))).toBeLessThan(2e-6);
    // All of the radius goes along the gradient.
    const dual = text.includes("l1")
      ? weights.abs().amax().item()
      : 0.2 * weights.square().sum().sqrt().item();
    for (const value of ascent(attacked(80))) expect(value).toBeGreaterThan(0.9 * dual);
  });
});
