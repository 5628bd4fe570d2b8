import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  type Attack,
  backward,
  defineAttack,
  expectation,
  fgsm,
  plainView,
  restarts,
  temperature,
  Victim,
  type View,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import type { Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { crossEntropy } from "../../src/nn/losses.js";
import { maxDifference, quantizedCnn, randomBatch, randomCnn, tinyCnn } from "./tiny-networks.js";

const { images, labels, ids } = randomBatch(6, quantizedCnn);
const context = { seed: deriveSeed(3, "views"), imageIds: ids };
const loss = (logits: Tensor) => crossEntropy(logits, labels);
const logitsOf = (model: Classifier) => [...model.logits(images, { ...context, draw: 0 }).toNumbers()];

/** Logits that an attack sees inside another, and the passes that its gradient took. */
function seenInside(around: (inside: Attack) => Attack, model: Classifier) {
  let logits: number[] = [];
  const look = defineAttack("test-look", {
    summary: "keeps the logits that it sees",
    options: z.strictObject({}),
    traits: () => ({ norm: "linf", radius: 1, usesGradients: true, randomized: false }),
    run(_, victim, at) {
      logits = [...victim.gradient(at, loss).logits.toNumbers()];
      return at;
    },
  });
  const passes = { forward: 0, backward: 0 };
  around(look())(model, images, labels, { ...context, passes });
  return { logits, passes };
}

describe("backward", () => {
  const model: Classifier = { ...tinyCnn, surrogates: { "noise-free": randomCnn } };
  const ascent = (of: Classifier) => new Victim(of, context, "fgsm").gradient(images, loss).gradient.sign();

  test("takes the surrogate's gradient, at the classifier's own answers", () => {
    const { logits, passes } = seenInside((inside) => backward(inside), model);
    // The sum of a logit and a difference of two rounds.
    logitsOf(tinyCnn).forEach((logit, i) => {
      expect(logits[i]).toBeCloseTo(logit, 5);
    });
    // A pass forward through each of the two.
    expect(passes).toEqual({ forward: 12, backward: 6 });
    // The loss's slope is that of the own logits, which then goes back through the surrogate.
    const { gradient } = new Victim(
      model,
      { ...context, view: { ...plainView, through: "noise-free" } },
      "x",
    ).gradient(images, (z) => z.select(1, 3));
    const expected = new Victim(randomCnn, context, "x").gradient(images, (z) => z.select(1, 3)).gradient;
    expect(maxDifference(gradient, expected)).toBe(0);
  });

  test("is an attack on the surrogate where it goes by its answers", () => {
    const around = (inside: Attack) => backward(inside, { forward: "surrogate" });
    expect(seenInside(around, model)).toEqual({
      logits: logitsOf(randomCnn),
      passes: { forward: 6, backward: 6 },
    });
    const moved = around(fgsm({ epsilon: 0.05 }))(model, images, labels, context);
    const expected = images.add(ascent(randomCnn).mul(0.05)).clamp(0, 1);
    expect(maxDifference(moved, expected)).toBe(0);
  });

  test("inside another takes the place of the surrogate outside", () => {
    const two: Classifier = { ...tinyCnn, surrogates: { "noise-free": randomCnn, range: tinyCnn } };
    const around = (inside: Attack) =>
      backward(restarts(backward(inside, { through: "range" })), { forward: "surrogate" });
    expect(seenInside(around, two).logits).toEqual(logitsOf(tinyCnn));
  });
});

test("temperature divides the logits, once for each level", () => {
  const { logits } = seenInside(
    (inside) => temperature(temperature(inside, { value: 4 }), { value: 2 }),
    tinyCnn,
  );
  logitsOf(tinyCnn).forEach((logit, i) => {
    expect(logits[i]).toBeCloseTo(logit / 8, 6);
  });
});

describe("expectation", () => {
  const victimOf = (view: Partial<View>) =>
    new Victim(quantizedCnn, { ...context, view: { ...plainView, ...view } }, "x");
  const draws = 4;
  const single = victimOf({});
  const each = Array.from({ length: draws }, () => single.gradient(images, loss));

  test("averages losses and their gradients over fresh draws", () => {
    const { gradient, losses } = victimOf({ draws }).gradient(images, loss);
    const meanOf = (of: "gradient" | "losses") =>
      each
        .map((draw) => draw[of])
        .reduce((a, b) => a.add(b))
        .div(draws);
    expect(maxDifference(gradient, meanOf("gradient"))).toBeLessThan(1e-6);
    expect(maxDifference(losses, meanOf("losses"))).toBeLessThan(1e-5);
    expect(maxDifference(each[0]!.gradient, each[1]!.gradient)).toBeGreaterThan(1e-3);
  });

  test("of the softmax takes the loss of the mean probabilities", () => {
    const { losses } = victimOf({ draws, mean: "softmax" }).gradient(images, loss);
    const probabilities = each.map(({ logits }) => logits.logSoftmax(1).exp());
    const mean = probabilities.reduce((a, b) => a.add(b)).div(draws);
    const expected = mean.gather(1, labels.unsqueeze(1)).squeeze(1).log().neg();
    expect(maxDifference(losses, expected)).toBeLessThan(1e-5);
  });

  test("of the softmax gives logits of the mean softmax, whose probabilities add up to 1", () => {
    const { logits } = victimOf({ draws, mean: "softmax" }).gradient(images, loss);
    const mean = each
      .map((draw) => draw.logits.softmax(1))
      .reduce((a, b) => a.add(b))
      .div(draws);
    expect(maxDifference(logits.exp(), mean)).toBeLessThan(1e-6);
  });

  test("against a deterministic classifier is the attack itself", () => {
    const attack = expectation(fgsm({ epsilon: 0.05 }), { draws: 7 });
    const passes = { forward: 0, backward: 0 };
    const found = attack(tinyCnn, images, labels, { ...context, passes });
    expect(maxDifference(found, fgsm({ epsilon: 0.05 })(tinyCnn, images, labels, context))).toBe(0);
    expect(passes).toEqual({ forward: 6, backward: 6 });
  });
});
