import { describe, expect, test } from "vitest";
import { perturbationLengths } from "../../src/attacks/geometry/norms.js";
import { type Attack, attacks, cwL2, ddn, ead, fgsm, fmn, type Norm } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { maxDifference } from "./tiny-networks.js";

// Class 0's logit is 0; class 1, the closer one, has two pixels of its own, and so has class 2. The closest
// point at which class 2 leads is therefore that on the plane where its logit is 0, which the other pixels
// have no part in.
const [near, far] = [
  [0.6, -0.3, 0, 0],
  [0, 0, 0.5, -0.8],
];
const pixels = [
  [0.5, 0.5, 0.5, 0.5],
  [0.4, 0.6, 0.6, 0.5],
  [0.6, 0.5, 0.5, 0.6],
];
const images = tensor(pixels.flat(), [3, 1, 2, 2]);
const labels = tensor([0, 0, 0], [3], "int64");
const context = { seed: deriveSeed(0, "targeted"), imageIds: imageIdRange(0, 3) };

const network = (scale: number): Classifier => ({
  inputShape: [1, 2, 2],
  classes: 3,
  randomized: false,
  logits: (some) =>
    some
      .flatten(1)
      .matmul(tensor([0, 0, 0, 0, ...near!, ...far!], [3, 4]).permute([1, 0]))
      .sub(tensor([0, 0.3, 0.15], [1, 3]))
      .mul(scale),
});
const linear = network(1);
/** Whose softmax hardly knows class 1: DDN's direction is that of the cross-entropy, not of the plane. */
const steep = network(20);

const predictions = (some: typeof images) =>
  linear
    .logits(some, { ...context, draw: 0 })
    .argmax(1)
    .toNumbers();

const dualLength: Record<Norm, number> = { linf: 1.3, l2: Math.hypot(0.5, 0.8), l1: 0.8 };
const distances = (norm: Norm, kappa = 0) =>
  pixels.map(
    (x) => (0.15 + kappa - x.reduce((sum, value, i) => sum + value * far![i]!, 0)) / dualLength[norm],
  );

const search = { steps: 60, binarySearchSteps: 5, initialConstant: 0.3 };
/** Each by its target, with the share by which it may miss the closest point, as without a target. */
const minimumNorm: [
  string,
  (target: number) => Attack,
  { slack: number; kappa?: number; on?: Classifier },
][] = [
  ["cw-l2", (target) => cwL2({ ...search, steps: 200, target }), { slack: 0.05 }],
  [
    "cw-l2 with kappa",
    (target) => cwL2({ ...search, steps: 200, target, kappa: 0.1 }),
    { slack: 0.05, kappa: 0.1 },
  ],
  ["ead", (target) => ead({ ...search, decisionRule: "l1", beta: 0.01, target }), { slack: 0.05 }],
  ["ddn", (target) => ddn({ steps: 100, target }), { slack: 0.05, on: steep }],
  ["fmn in linf", (target) => fmn({ norm: "linf", steps: 50, target }), { slack: 0.02 }],
  ["fmn in l2", (target) => fmn({ norm: "l2", steps: 50, target }), { slack: 0.02 }],
  ["fmn in l1", (target) => fmn({ norm: "l1", steps: 50, target }), { slack: 0.02 }],
];

describe.each(minimumNorm)("targeted %s", (_, attackTo, { slack, kappa, on = linear }) => {
  test("finds the closest point at which the class leads", () => {
    const attack = attackTo(2);
    const adversarial = attack(on, images, labels, context);
    expect(predictions(adversarial)).toEqual([2, 2, 2]);
    const norm = attack.traits.norm as Norm;
    const exact = distances(norm, kappa);
    perturbationLengths(adversarial.sub(images), norm)
      .toNumbers()
      .forEach((length, i) => {
        expect(length).toBeGreaterThan(exact[i]! * 0.9999);
        expect(length).toBeLessThan(exact[i]! * (1 + slack) + 1e-6);
      });
  });

  test("leaves images whose label is the class as they are", () => {
    const some = tensor([0, 2, 0], [3], "int64");
    const moved = attackTo(2)(on, images, some, context).sub(images).abs().amax([1, 2, 3]).gt(0);
    expect(moved.toNumbers()).toEqual([1, 0, 1]);
  });
});

test("targeted fgsm is one step down the cross-entropy of the class", () => {
  const adversarial = fgsm({ epsilon: 0.3, target: 2 })(linear, images, labels, context);
  const step = tensor([-0.3, 0.3, 0.3, -0.3], [1, 1, 2, 2]);
  expect(maxDifference(adversarial, images.add(step))).toBeLessThan(1e-6);
  expect(predictions(adversarial)).toEqual([2, 2, 2]);
  const leastLikely = fgsm({ epsilon: 0.3, target: "least-likely" })(linear, images, labels, context);
  // Class 2 is that of all three, and class 1 the likeliest after the label.
  expect(leastLikely.toArray()).toEqual(adversarial.toArray());
  const next = fgsm({ epsilon: 0.3, target: "next" })(linear, images, labels, context);
  expect(maxDifference(next, images.sub(step))).toBeLessThan(1e-6);
  const ofClass = tensor([0, 2, 2], [3], "int64");
  const moved = fgsm({ target: 2 })(linear, images, ofClass, context).sub(images).abs().amax([1, 2, 3]).gt(0);
  expect(moved.toNumbers()).toEqual([1, 0, 0]);
});

describe.each(["fgsm", "cw-l2", "ead", "ddn", "fmn"])("%s", (name) => {
  test("says its target, if it has one, in its text and its traits", () => {
    expect(String(attacks.parse(`${name}(target=none)`))).toBe(name);
    const targeted = attacks.parse(`${name}(target=next)`);
    expect(String(targeted)).toBe(`${name}(target=next)`);
    expect(String(targeted.remake(({ options }) => options))).toBe(String(targeted));
    expect(attacks.parse(`restarts(${name}(target=next))`).traits.target).toBe("next");
  });

  test("refuses a class that the network does not have", () => {
    const run = () => attacks.parse(`${name}(target=3)`)(linear, images, labels, context);
    expect(run).toThrow(
      new RangeError(`attack ${name}: option "target" cannot be 3; accepted: the classes 0 .. 2`),
    );
    expect(() => attacks.parse(`${name}(target=most)`)).toThrow(
      "accepted: none | next | least-likely | a whole number of at least 0",
    );
  });
});
