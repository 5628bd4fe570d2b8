import { describe, expect, test } from "vitest";
import { type Decided, misclassified, toBoundary } from "../../src/attacks/black-box/decisions.js";
import {
  type Attack,
  boundary,
  hopSkipJump,
  pgd,
  rotationTranslation,
  Victim,
  within,
} from "../../src/attacks/index.js";
import { imageIdRange, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import {
  coinClassifier,
  contextOf,
  grayImages,
  linearClassifier,
  randomWeights,
  zeroLabels,
} from "./linear-networks.js";
import { maxDifference, randomBatch, randomCnn } from "./tiny-networks.js";

const shape = [1, 5, 5] as const;
const weights = randomWeights(25);
const images = grayImages(6, shape);
/**
 * Class 1 leads where w . (x - 0.5) > 0.3, so the nearest such point lies 0.3 / |w| away in the dual norm.
 */
const model = linearClassifier(shape, weights, -0.3 - 0.5 * weights.sum().item());
const nearest = {
  l2: 0.3 / weights.square().sum().sqrt().item(),
  linf: 0.3 / weights.abs().sum().item(),
};
const lengths = (norm: "l2" | "linf", delta: Tensor) =>
  (norm === "l2" ? delta.square().sumDim([1, 2, 3]).sqrt() : delta.abs().amax([1, 2, 3])).toNumbers();

const run = (attack: Attack, network: Classifier = model, passes = { forward: 0, backward: 0 }) =>
  attack(network, images, zeroLabels(6), contextOf(imageIdRange(0, 6), 5, passes));

function decided(network: Classifier, draws = 8): Decided {
  return {
    victim: new Victim(network, contextOf(imageIdRange(0, 6)), "decided"),
    images,
    labels: zeroLabels(6),
    draws,
  };
}

describe("the way to the boundary", () => {
  test.each(["l2", "linf"] as const)("in %s ends just on its misclassified side", (norm) => {
    const some = decided(model);
    const from = images.add(weights.mul(0.2).reshape([1, ...shape])).clamp(0, 1);
    const points = toBoundary(some, from, norm);
    expect(misclassified(some, points).all().item()).toBe(1);
    // By hand: along the line, the share 0.3 / (w . change); theta of the distance beyond it.
    const ascent = (of: Tensor) =>
      of
        .sub(images)
        .flatten(1)
        .matmul(weights.reshape([25, 1]))
        .toNumbers();
    ascent(points).forEach((value, i) => {
      expect(value).toBeGreaterThan(0.3 - 1e-6);
      expect(value).toBeLessThan(0.3 + 0.02 * ascent(from)[i]!);
    });
  });
});

test.each(["l2", "linf"] as const)("an image of one pixel is brought to the boundary in %s", (norm) => {
  const one = linearClassifier([1, 1, 1], randomWeights(1).abs().mul(0).add(1), -0.7);
  const point = grayImages(6, [1, 1, 1]);
  const some = { ...decided(one), images: point };
  const found = toBoundary(some, point.onesLike(), norm);
  for (const value of found.toNumbers()) {
    expect(value).toBeGreaterThan(0.7);
    expect(value).toBeLessThan(0.701);
  }
});

describe.each([
  ["hop-skip-jump in l2", hopSkipJump({ steps: 6, samples: 60 }), "l2", 1.1],
  ["hop-skip-jump in l-infinity", hopSkipJump({ norm: "linf", steps: 8, samples: 60 }), "linf", 1.2],
  ["boundary in l2", boundary({ steps: 900, sourceStep: 0.05 }), "l2", 1.1],
  ["boundary in l-infinity", boundary({ norm: "linf", steps: 400, sourceStep: 0.05 }), "linf", 1.1],
] as const)("%s", (_, attack, norm, factor) => {
  test("finds the nearest point across a linear boundary", () => {
    const adversarial = run(attack);
    expect(misclassified(decided(model), adversarial).all().item()).toBe(1);
    for (const length of lengths(norm, adversarial.sub(images))) {
      expect(length).toBeGreaterThan(nearest[norm] * (1 - 1e-4));
      expect(length).toBeLessThan(nearest[norm] * factor);
    }
  });

  test("looks at labels alone", () => {
    const labelsOnly: Classifier = {
      ...model,
      logits: (x, noise) => model.logits(x, noise).sign().mul(1e-3),
    };
    expect(maxDifference(run(attack, labelsOnly), run(attack))).toBe(0);
  });

  test("returns images as they are where they are misclassified, or no noise is", () => {
    const passes = { forward: 0, backward: 0 };
    expect(run(attack, linearClassifier(shape, weights, 100), passes).toArray()).toEqual(images.toArray());
    expect(passes.forward).toBe(6);
    expect(run(attack, linearClassifier(shape, weights, -100), passes).toArray()).toEqual(images.toArray());
    expect(passes.forward).toBe(6 + 6 * 101);
  });

  test("does nothing to a coin classifier: a majority of draws is no lucky draw", () => {
    const coin: Classifier = { ...coinClassifier(0.8), inputShape: shape };
    expect(run(attack, coin).toArray()).toEqual(images.toArray());
  });
});

test("hop-skip-jump comes closer with more steps, on a network of several layers", () => {
  const batch = randomBatch(12, randomCnn);
  const means = [2, 8, 14].map((steps) => {
    const attack = hopSkipJump({ steps, samples: 20 });
    const adversarial = attack(randomCnn, batch.images, batch.labels, contextOf(batch.ids));
    const fooled = randomCnn
      .logits(adversarial, { ...contextOf(batch.ids), draw: 0 })
      .argmax(1)
      .ne(batch.labels);
    expect(fooled.all().item()).toBe(1);
    return adversarial.sub(batch.images).square().sumDim([1, 2, 3]).sqrt().mean().item();
  });
  expect(means[1]).toBeLessThan(0.8 * means[0]!);
  expect(means[2]).toBeLessThan(means[1]!);
});

describe("within", () => {
  test("gives back what lies beyond the radius as it was, and the rest as found", () => {
    const attack = hopSkipJump({ steps: 3, samples: 20 });
    const found = run(attack);
    const distances = lengths("l2", found.sub(images));
    const epsilon = [...distances].sort((a, b) => a - b)[3]! - 1e-6;
    const kept = within(attack, { epsilon });
    expect(kept.traits).toEqual({ ...attack.traits, radius: epsilon });
    const result = run(kept);
    distances.forEach((distance, i) => {
      const wanted = distance <= epsilon ? found : images;
      expect(maxDifference(result.select(0, i), wanted.select(0, i))).toBe(0);
    });
    expect(distances.filter((distance) => distance <= epsilon)).toHaveLength(3);
  });

  test("takes attacks that minimize a norm", () => {
    expect(() => within(pgd())).toThrow(
      "attack within: takes an attack that minimizes its norm; pgd has a radius",
    );
    expect(() => within(rotationTranslation())).toThrow(
      "attack within: no norm measures rotation-translation",
    );
  });
});
