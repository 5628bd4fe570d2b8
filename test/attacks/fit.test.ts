import { describe, expect, test } from "vitest";
import { attacks, backward, checkClassifier, pgd, restarts } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { goldenImages, goldenLabels, maxDifference, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "fit"), imageIds: imageIdRange(0, 6) };
const zeros = tensor([0, 0, 0, 0, 0, 0], [6], "int64");

/** The first classes of the golden network, and how often it was asked. */
function few(classes: number): Classifier & { passes: number } {
  return {
    ...tinyCnn,
    classes,
    passes: 0,
    logits(images, noise) {
      this.passes++;
      return tinyCnn.logits(images, noise).slice(1, 0, classes);
    },
  };
}

describe("an attack says before it runs that a classifier does not fit", () => {
  test.each([
    ["apgd-t", 3, 'attack apgd-t: option "loss" cannot be dlr: its targeted form needs 4 classes or more'],
    [
      "apgd(loss=dlr)",
      2,
      'attack apgd: option "loss" cannot be dlr: it needs 3 classes or more, and the classifier has 2',
    ],
    [
      "pgd(loss=dlr, target=next)",
      3,
      "its targeted form needs 4 classes or more, and the classifier has 3; take loss=margin",
    ],
    ["square", 1, "classifier must tell two classes or more apart, not 1"],
    ["nes(loss=dlr)", 2, 'attack nes: option "loss" cannot be dlr'],
    [
      "restarts(worst-case(pgd(), unconstrained(loss=dlr)))",
      2,
      'attack unconstrained: option "loss" cannot be dlr',
    ],
    ["ddn(target=3)", 3, 'attack ddn: option "target" cannot be 3; accepted: the classes 0 .. 2'],
    [
      "backward(fgsm())",
      10,
      'attack backward: no surrogate "noise-free" to take gradients through; the classifier has none',
    ],
  ])("%s, of %i classes", (text, classes, message) => {
    const classifier = few(classes);
    const attack = attacks.parse(text);
    expect(() => attack.check(classifier)).toThrow(RangeError);
    expect(() => attack.check(classifier)).toThrow(message);
    expect(() => attack(classifier, goldenImages, zeros, context)).toThrow(message);
    expect(classifier.passes).toBe(0);
  });

  test.each([
    "apgd-t(loss=margin, steps=2)",
    "autoattack(steps=2, queries=2, version=plus)",
    "pgd(loss=dlr, steps=2)",
  ])("%s runs where it fits", (text) => {
    const attack = attacks.parse(text);
    const classifier = few(text.includes("dlr") ? 3 : 2);
    expect(() => attack.check(classifier)).not.toThrow();
    expect(attack(classifier, goldenImages, zeros, context).shape).toEqual(goldenImages.shape);
  });

  test("surrogates are those of the classifier, by name", () => {
    const classifier: Classifier = { ...few(3), surrogates: { "noise-free": few(3), staircase: few(3) } };
    expect(String(backward(pgd()))).toBe("backward(pgd())");
    expect(() => backward(pgd()).check(classifier)).not.toThrow();
    expect(() => restarts(backward(pgd(), { through: "twin" })).check(classifier)).toThrow(
      'no surrogate "twin" to take gradients through; the classifier has noise-free, staircase',
    );
  });

  test("a model is not its classifier, and logits must have a row for each image", () => {
    expect(() => checkClassifier({ classifier: () => tinyCnn } as never)).toThrow(
      "classifier must be a classifier, such as model.classifier(), not an object",
    );
    const wrong: Classifier = { ...tinyCnn, logits: (x, noise) => tinyCnn.logits(x, noise).slice(1, 0, 3) };
    expect(() => pgd()(wrong, goldenImages, zeros, context)).toThrow(
      "the logits of the classifier must have shape [6, 10], not [6, 3]",
    );
    const nothing = { ...tinyCnn, logits: () => undefined as never };
    expect(() => pgd()(nothing, goldenImages, zeros, context)).toThrow(
      "must be a tensor of shape [6, 10], not undefined",
    );
  });
});

describe("steps that are left out", () => {
  test.each([
    ["pgd(norm=l2, epsilon=0.5, steps=5)", "pgd(norm=l2, epsilon=0.5, steps=5, stepSize=0.25)"],
    ["bim(epsilon=0.1, steps=5)", "bim(epsilon=0.1, steps=5, stepSize=0.025)"],
    ["mi-fgsm(epsilon=0.1, steps=5)", "mi-fgsm(epsilon=0.1, steps=5, stepSize=0.02)"],
    ["ni-fgsm(epsilon=0.1, steps=5)", "ni-fgsm(epsilon=0.1, steps=5, stepSize=0.02)"],
    ["cw-linf(epsilon=0.1, steps=5)", "cw-linf(epsilon=0.1, steps=5, stepSize=0.05)"],
    ["madry-cw(epsilon=0.1, steps=5)", "madry-cw(epsilon=0.1, steps=5, stepSize=0.05)"],
    ["nes(epsilon=0.1, steps=5, samples=4)", "nes(epsilon=0.1, steps=5, samples=4, stepSize=0.05)"],
    ["spsa(epsilon=0.1, steps=5, samples=4)", "spsa(epsilon=0.1, steps=5, samples=4, learningRate=0.05)"],
  ])("%s is %s", (text, explicit) => {
    const run = (of: string) => attacks.parse(of)(tinyCnn, goldenImages, goldenLabels, context);
    expect(maxDifference(run(text), run(explicit))).toBe(0);
    expect(maxDifference(run(text), goldenImages)).toBeGreaterThan(0);
  });

  test("keep their share of a radius that another attack searches", () => {
    const inside = attacks.parse("minimal-epsilon(pgd(steps=5, randomStart=false), maximum=0.1, rounds=0)");
    const run = (attack: typeof inside) => attack(tinyCnn, goldenImages, goldenLabels, context);
    const at = run(attacks.parse("pgd(epsilon=0.1, steps=5, randomStart=false)"));
    const moved = run(inside).sub(goldenImages).abs().amax([1, 2, 3]).gt(0).toNumbers();
    moved.forEach((flag, i) => {
      if (flag) expect(maxDifference(run(inside).select(0, i), at.select(0, i))).toBe(0);
    });
    expect(moved).toContain(1);
  });
});
