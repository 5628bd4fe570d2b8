import { describe, expect, test } from "vitest";
import { fgsm, noise, rotationTranslation, worstCase } from "../../src/attacks/index.js";
import { moved } from "../../src/attacks/rotation-translation.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { contextOf, grayImages, linearClassifier, randomWeights, zeroLabels } from "./linear-networks.js";
import { maxDifference } from "./tiny-networks.js";

const shape = [1, 4, 4] as const;
const weights = randomWeights(16);

describe("noise", () => {
  const images = grayImages(200, shape);
  const far = linearClassifier(shape, weights, -50);
  const run = (
    options: Parameters<typeof noise>[0],
    model: Classifier = far,
    passes = { forward: 0, backward: 0 },
  ) => noise(options)(model, images, zeroLabels(200), contextOf(imageIdRange(0, 200), 5, passes)).sub(images);
  const ascent = (delta: Tensor) => delta.flatten(1).matmul(weights.reshape([-1, 1]));

  test("is the best of its tries, as far as the order statistics of a normal variable say", () => {
    // w . u is close to normal, of variance |w|^2 / 3; the mean of the best of 10 lies 1.539 standard
    // deviations up.
    const spread = 0.1 * Math.sqrt(weights.square().sum().item() / 3);
    expect(
      ascent(run({ epsilon: 0.1 }))
        .mean()
        .item() / spread,
    ).toBeCloseTo(1.54, 0);
    // The image itself counts: one try is kept where it is better than none.
    expect(
      ascent(run({ epsilon: 0.1, tries: 1 }))
        .amin()
        .item(),
    ).toBeGreaterThanOrEqual(0);
    expect(
      ascent(run({ epsilon: 0.1, tries: 1 }))
        .mean()
        .item() / spread,
    ).toBeCloseTo(0.4, 1);
  });

  test("of l2 has the radius' length; Gaussian noise of l-infinity is cut to the ball", () => {
    for (const distribution of ["uniform", "gaussian"] as const) {
      const lengths = run({ norm: "l2", epsilon: 0.4, distribution, tries: 20 })
        .square()
        .sumDim([1, 2, 3])
        .sqrt();
      for (const length of lengths.toNumbers()) expect(length).toBeCloseTo(0.4, 5);
    }
    const sizes = run({ epsilon: 0.1, distribution: "gaussian", tries: 20 }).abs();
    expect(sizes.amax().item()).toBeCloseTo(0.1, 6);
    // 4.6 % of a normal variable lies beyond two standard deviations; the best of 20 lies farther out.
    expect(sizes.gt(0.0999).to("float32").mean().item()).toBeGreaterThan(0.03);
  });

  test("is tried on images that stand alone", () => {
    const passes = { forward: 0, backward: 0 };
    // Half of all noise leads to the other side, so each try halves what is left.
    run({ epsilon: 0.1, tries: 50 }, linearClassifier(shape, weights, -0.5 * weights.sum().item()), passes);
    expect(passes.forward).toBeLessThan(200 * 5);
  });
});

describe("rotations and shifts", () => {
  const ids = imageIdRange(0, 2);
  const images = countedUniform({ seed: deriveSeed(1, "images"), draw: 0, imageIds: ids }, 0, [2, 3, 5]);
  const square = countedUniform({ seed: deriveSeed(1, "images"), draw: 0, imageIds: ids }, 1, [1, 4, 4]);

  test("shift by whole pixels, right and down, and let black in", () => {
    const result = moved(images, { angle: 0, right: 2, down: 1 });
    expect(maxDifference(result.slice(2, 1).slice(3, 2), images.slice(2, 0, 2).slice(3, 0, 3))).toBeLessThan(
      1e-6,
    );
    expect(result.slice(2, 0, 1).abs().amax().item()).toBe(0);
    expect(result.slice(3, 0, 2).abs().amax().item()).toBe(0);
  });

  test("rotate a square image by quarter turns, counterclockwise, before they shift", () => {
    const turned = square.permute([0, 1, 3, 2]).flip([2]);
    expect(maxDifference(moved(square, { angle: 90, right: 0, down: 0 }), turned)).toBeLessThan(1e-5);
    const both = moved(square, { angle: 90, right: 0, down: 2 });
    expect(maxDifference(both.slice(2, 2), turned.slice(2, 0, 2))).toBeLessThan(1e-5);
  });

  test("keep lengths where an image is wider than high", () => {
    // A half turn is exact for any shape; a small one leaves a constant image's middle as it is.
    expect(maxDifference(moved(images, { angle: 180, right: 0, down: 0 }), images.flip([2, 3]))).toBeLessThan(
      1e-5,
    );
    // A quarter turn brings the pixel one right of the middle to one above it.
    const dot = tensor([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [1, 1, 3, 5]);
    const above = tensor([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 3, 5]);
    expect(maxDifference(moved(dot, { angle: 90, right: 0, down: 0 }), above)).toBeLessThan(1e-5);
  });

  test("find the one motion of the grid that a network fails on", () => {
    // Class 1 wants the upper left pixel white: only a shift by -3, -3 brings the dot there.
    const corner = tensor([1, ...new Array<number>(48).fill(0)]);
    const model = linearClassifier([1, 7, 7], corner, -0.9);
    const dot = tensor(
      Array.from({ length: 49 }, (_, i) => (i === 24 ? 1 : 0)),
      [1, 1, 7, 7],
    );
    const passes = { forward: 0, backward: 0 };
    const attack = rotationTranslation({ angles: 1 });
    const found = attack(model, dot, zeroLabels(1), contextOf(imageIdRange(0, 1), 5, passes));
    expect(found.toNumbers()[0]).toBeCloseTo(1, 5);
    // The first motion of the grid, after the image as it is.
    expect(passes.forward).toBe(2);
  });

  test("have no radius, and no place beside attacks of a pixel norm", () => {
    expect(rotationTranslation().traits).toEqual({
      norm: "none",
      radius: undefined,
      usesGradients: false,
      randomized: false,
    });
    expect(() => worstCase([fgsm(), rotationTranslation()])).toThrow("linf and none");
  });
});
