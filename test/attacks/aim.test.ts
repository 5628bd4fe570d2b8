import { describe, expect, test } from "vitest";
import { bim, miFgsm, niFgsm, pgd } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor } from "../../src/engine/index.js";
import { crossEntropy } from "../../src/nn/losses.js";
import { goldenImages, maxDifference, randomBatch, randomCnn } from "./tiny-networks.js";

const { images, labels, ids } = randomBatch(24, randomCnn);
const context = { seed: deriveSeed(4, "aim"), imageIds: ids };
const clean = randomCnn.logits(images, { ...context, draw: 0 });
const predictions = (adversarial: Tensor) => randomCnn.logits(adversarial, { ...context, draw: 0 }).argmax(1);
const ranking = clean.sort(1, true)[1];
const strong = { epsilon: 0.3, stepSize: 0.05, steps: 20 };

describe("targeted attacks", () => {
  test.each([
    ["next", 1],
    ["least-likely", 9],
  ] as const)("%s leads to the class of rank %i", (target, rank) => {
    const wanted = ranking.select(1, rank).toNumbers();
    const reached = predictions(pgd({ ...strong, target })(randomCnn, images, labels, context)).toNumbers();
    expect(reached.filter((value, i) => value === wanted[i]).length).toBeGreaterThan(16);
  });

  test.each([
    ["bim", bim],
    ["mi-fgsm", miFgsm],
    ["ni-fgsm", niFgsm],
  ] as const)("%s leads there as well", (_, attack) => {
    const wanted = ranking.select(1, 9).contiguous();
    const lossTo = (some: Tensor) =>
      crossEntropy(randomCnn.logits(some, { ...context, draw: 0 }), wanted)
        .mean()
        .item();
    const adversarial = attack({ ...strong, target: "least-likely" })(randomCnn, images, labels, context);
    expect(lossTo(adversarial)).toBeLessThan(lossTo(images) / 2);
  });

  test("next skips the label of an image that is misclassified", () => {
    const second = ranking.select(1, 1).contiguous();
    const adversarial = pgd({ epsilon: 0.01, steps: 5, target: "next" })(randomCnn, images, second, context);
    expect(predictions(adversarial).toNumbers()).toEqual(labels.toNumbers());
  });

  test("a number leaves images of that class as they are", () => {
    const target = labels.select(0, 0).item();
    const adversarial = pgd({ ...strong, target })(randomCnn, images, labels, context);
    const moved = adversarial.sub(images).abs().amax([1, 2, 3]).gt(0).toNumbers();
    expect(moved).toEqual(labels.ne(target).toNumbers());
  });

  test("a class that the network does not have is refused", () => {
    const run = () =>
      pgd({ target: 10 })(randomCnn, goldenImages, labels.slice(0, 0, 6), { ...context, imageIds: imageIdRange(0, 6) });
    expect(run).toThrow(new RangeError('option "target" cannot be 10: the network has classes 0 .. 9'));
  });
});

test("attacks on predicted labels keep the restart that is worst for the true ones", () => {
  // Every image is misclassified, so that leading away from the prediction may lead back to the label.
  const truth = ranking.select(1, 1).contiguous();
  const wrong = (restarts: number) => {
    const attack = pgd({ epsilon: 0.1, stepSize: 0.05, steps: 3, labels: "predicted", restarts });
    return predictions(attack(randomCnn, images, truth, context))
      .ne(truth)
      .toNumbers();
  };
  const one = wrong(1);
  const many = wrong(8);
  expect(one).toContain(0);
  expect(many.filter((value, i) => value < one[i]!)).toEqual([]);
  expect(many.filter((value) => value === 1).length).toBeGreaterThan(one.filter((value) => value === 1).length);
});

test("a targeted attack that goes nowhere proposes the images", () => {
  const attack = pgd({ steps: 0, randomStart: false, target: "next" });
  expect(maxDifference(attack(randomCnn, images, labels, context), images)).toBe(0);
});
