import { describe, expect, test } from "vitest";
import { type EstimateOptions, estimateGradient } from "../../src/attacks/black-box/gradient-estimate.js";
import { nes, spsa, Victim } from "../../src/attacks/index.js";
import { countedNormal, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import {
  coinClassifier,
  contextOf,
  grayImages,
  linearClassifier,
  randomWeights,
  zeroLabels,
} from "./linear-networks.js";
import { randomBatch, randomCnn } from "./tiny-networks.js";

const shape = [1, 3, 4] as const;
const center = randomWeights(12).mul(0.1).add(0.4).reshape([1, 12]);

/**
 * The margin of class 0 is |x - center|^2, plus noise in a randomized network: its gradient is 2 (x -
 * center).
 */
function quadratic(noise = 0): Classifier {
  return {
    inputShape: shape,
    classes: 2,
    randomized: noise > 0,
    logits(images, key) {
      const margin = images.flatten(1).sub(center).square().sumDim([1], true);
      const noisy = noise > 0 ? margin.add(countedNormal(key, 0, [1]).mul(noise)) : margin;
      return noisy.matmul(tensor([0, 1], [1, 2]));
    },
  };
}

const kinds: [string, EstimateOptions["direction"], number][] = [
  ["Gaussian", (victim, sides, stream) => victim.normal(sides, stream), 13],
  ["Rademacher", (victim, sides, stream) => victim.uniform(sides, -1, 1, stream).sign(), 11],
];

/** The mean over images of |estimate - gradient|^2 / |gradient|^2. */
function relativeError(model: Classifier, direction: EstimateOptions["direction"], samples: number): number {
  const count = 400;
  const images = grayImages(count, shape);
  const victim = new Victim(model, contextOf(imageIdRange(0, count)), "estimate");
  const options = { samples, distance: 0.05, loss: "margin", draws: 1, direction } as const;
  const estimate = estimateGradient(options, victim, images, zeroLabels(count), 0).flatten(1);
  const gradient = images.flatten(1).sub(center).mul(2);
  const squares = (t: Tensor) => t.square().sumDim([1]);
  return squares(estimate.sub(gradient)).div(squares(gradient)).mean().item();
}

describe.each(kinds)("the estimate along %s directions", (_, direction, spread) => {
  // u . grad is exact for a quadratic, and E|u u' g - g|^2 = (d + 1) |g|^2 for Gaussian u, (d - 1) |g|^2 for
  // signs.
  test("of a quadratic's gradient is unbiased, with the variance of theory", () => {
    for (const samples of [10, 40]) {
      const wanted = spread / (samples / 2);
      expect(Math.abs(relativeError(quadratic(), direction, samples) / wanted - 1)).toBeLessThan(0.2);
    }
  });

  test("does not see noise that both ends of a difference share", () => {
    const [with_, without] = [5, 0].map((noise) => relativeError(quadratic(noise), direction, 10));
    expect(with_).toBeCloseTo(without!, 2);
  });
});

describe.each([
  ["nes", (steps: number) => nes({ epsilon: 0.1, stepSize: 0.02, steps, samples: 40 })],
  ["spsa", (steps: number) => spsa({ epsilon: 0.1, learningRate: 0.02, steps, samples: 40 })],
] as const)("%s", (_, attackOf) => {
  test("on a linear network comes close to the best there is, epsilon * |w|_1", () => {
    const weights = randomWeights(12);
    const images = grayImages(6, shape);
    const model = linearClassifier(shape, weights, -50);
    const delta = attackOf(20)(model, images, zeroLabels(6), contextOf(imageIdRange(0, 6))).sub(images);
    const best = 0.1 * weights.abs().sum().item();
    for (const value of delta
      .flatten(1)
      .matmul(weights.reshape([12, 1]))
      .toNumbers()) {
      expect(value).toBeLessThanOrEqual(best + 1e-5);
      expect(value).toBeGreaterThan(0.9 * best);
    }
  });

  test("spends its queries on images that stand", () => {
    const { images, labels, ids } = randomBatch(8, randomCnn);
    const passes = { forward: 0, backward: 0 };
    const adversarial = attackOf(12)(randomCnn, images, labels, contextOf(ids, 5, passes));
    const fooled = randomCnn
      .logits(adversarial, { ...contextOf(ids), draw: 0 })
      .argmax(1)
      .ne(labels);
    expect(fooled.to("float32").mean().item()).toBeGreaterThan(0.7);
    expect(passes.backward).toBe(0);
    expect(passes.forward).toBeLessThan(8 * (1 + 12 * 41));
  });

  test("asks a randomized network for every image's mean at every step", () => {
    const passes = { forward: 0, backward: 0 };
    attackOf(2)(
      coinClassifier(0.7),
      grayImages(3, [1, 4, 4]),
      zeroLabels(3),
      contextOf(imageIdRange(0, 3), 5, passes),
    );
    expect(passes.forward).toBe(3 * 8 * (1 + 2 * 40));
  });
});
