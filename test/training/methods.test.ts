import { describe, expect, test } from "vitest";
import * as z from "zod";
import { attacks, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import type { Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { defineMethod, methods, trainConfig } from "../../src/training/index.js";
import { fgsm } from "../../src/training/methods/all.js";
import { maxDifference, quantizedCnn, randomBatch, randomCnn, tinyCnn } from "../attacks/tiny-networks.js";

const context = (imageIds: Tensor) => ({ seed: deriveSeed(5, "methods"), imageIds });

/** Images that a method makes of the random batch of a network; `noiseName` keys its noise. */
function perturbed(text: string, model: Classifier, noiseName = "method"): Tensor {
  const { images, labels, ids } = randomBatch(9, model);
  const method = methods.parse(text);
  return method.perturb!(new Victim(model, context(ids), noiseName), images, labels);
}

const largestMove = (text: string, model: Classifier) =>
  maxDifference(perturbed(text, model), randomBatch(9, model).images);

const networks: [string, Classifier][] = [
  ["the golden network", tinyCnn],
  ["a random network", randomCnn],
  ["a randomized network", quantizedCnn],
];

describe.each(networks)("on %s", (_, model) => {
  const { images, labels, ids } = randomBatch(9, model);

  test.each([
    ["fgsm(epsilon=0.1)", "fgsm(epsilon=0.1)"],
    ["fgsm(epsilon=0.1, labels=predicted)", "fgsm(epsilon=0.1, labels=predicted)"],
    ["pgd(epsilon=0.1, steps=4, stepSize=0.03)", "pgd(epsilon=0.1, steps=4, stepSize=0.03)"],
    ["pgd(epsilon=0.1, steps=1, stepSize=0.1, randomStart=false)", "fgsm(epsilon=0.1)"],
  ])("%s makes the images of the attack %s", (method, attack) => {
    const { name } = attacks.parse(attack);
    const reference = attacks.parse(attack)(model, images, labels, context(ids));
    const own = perturbed(method, model, name);
    // Clamping to [0, 1] and projecting to the ball round differently in the last bit.
    if (method.startsWith(name)) expect(own.toArray()).toEqual(reference.toArray());
    else expect(maxDifference(own, reference)).toBeLessThan(1e-6);
  });

  test.each([
    ["fgsm(epsilon=0.1)", 0.1],
    ["fgsm(epsilon=0.1, sampled=true)", 0.1],
    ["fgsm-rs(epsilon=0.1)", 0.1],
    ["fgsm-rs(epsilon=0.1, stepSize=0.3)", 0.1],
    ["pgd(epsilon=0.1, steps=3)", 0.1],
    // Noise of up to k radii, and a step of one more that nothing projects back.
    ["n-fgsm(epsilon=0.1)", 0.3],
    ["n-fgsm(epsilon=0.1, noise=1, stepSize=0.05)", 0.15],
  ])("%s moves pixels by at most %d, and keeps them in [0, 1]", (method, most) => {
    const moved = perturbed(method, model);
    expect(moved.shape).toEqual(images.shape);
    expect(largestMove(method, model)).toBeLessThanOrEqual(most + 1e-6);
    expect(largestMove(method, model)).toBeGreaterThan(0.4 * most);
    expect(moved.amin().item()).toBeGreaterThanOrEqual(0);
    expect(moved.amax().item()).toBeLessThanOrEqual(1);
  });

  test("a wide N-FGSM leaves the ball that FGSM with a random start keeps to", () => {
    expect(largestMove("n-fgsm(epsilon=0.1)", model)).toBeGreaterThan(0.15);
  });

  test.each(["fgsm(epsilon=0.1, sampled=true)", "fgsm-rs", "n-fgsm", "pgd(steps=2)"])(
    "%s is random by its key",
    (text) => {
      expect(perturbed(text, model).toArray()).toEqual(perturbed(text, model).toArray());
      expect(maxDifference(perturbed(text, model), perturbed(text, model, "another key"))).toBeGreaterThan(
        1e-3,
      );
    },
  );
});

test("sampled radii are those of a normal distribution cut at two standard deviations", () => {
  const { images, labels, ids } = randomBatch(2000, tinyCnn);
  const victim = new Victim(tinyCnn, context(ids), "radii");
  const middle = images.mul(0).add(0.5);
  const moved = methods.parse("fgsm(epsilon=0.1, sampled=true)").perturb!(victim, middle, labels);
  const radii = moved.sub(middle).abs().flatten(1).amax([1]).toNumbers();
  // The mean of |N(0, 1)| given that it is below 2 is sqrt(2 / pi) (1 - exp(-2)) / erf(sqrt 2); one standard
  // error is 0.006.
  const mean = radii.reduce((a, b) => a + b, 0) / radii.length / 0.05;
  expect(Math.abs(mean - (Math.sqrt(2 / Math.PI) * (1 - Math.exp(-2))) / 0.9544997)).toBeLessThan(0.04);
  expect(radii.filter((radius) => radius > 0.0999).length).toBeLessThan(10);
});

test("standard training changes nothing", () => {
  expect(methods.parse("standard").perturb).toBeUndefined();
});

test("unknown methods and options name the nearest", () => {
  expect(() => methods.parse("n-fgm")).toThrow('unknown training method "n-fgm"; did you mean "n-fgsm"?');
  expect(() => methods.parse("fgsm(epsilom=1)")).toThrow('unknown option "epsilom"; did you mean "epsilon"?');
});

test("methods that train for an l-infinity radius say how gray levels are written", () => {
  const ofRadius = methods.definitions.filter(({ options }) => "epsilon" in options.shape);
  expect(ofRadius.map(({ name }) => name)).toEqual(expect.arrayContaining(["fgsm", "fgsm-rs", "pgd"]));
  for (const { name } of ofRadius) {
    expect(() => methods.parse(`${name}(epsilon=8)`), name).toThrow("gray levels are written as in 8/255");
  }
  expect(() => fgsm({ epsilon: 8 })).toThrow("gray levels are written as in 8/255");
});

test("names that are a method's and an attack's are listed once", () => {
  const fault = () => trainConfig({ model: "small", data: "mnist", method: "zzzzzz" as never });
  expect(fault).toThrow(/known: .*\bn-fgsm\b/);
  const known = (() => {
    try {
      fault();
    } catch (error) {
      return / known: (.*)$/m.exec((error as Error).message)![1]!.split(", ");
    }
    return [];
  })();
  expect(known).toContain("fgsm");
  expect(known).toEqual([...new Set(known)]);
});

describe("mistakes of a method's writer are named", () => {
  test.each<[object, string]>([
    [{ epsilon: "0.1" }, 'epsilon must be a number of at least 0, not "0.1"'],
    [{ epsilon: Number.NaN }, "epsilon must be a number of at least 0, not NaN"],
    [{ cleanWeight: 2 }, "cleanWeight must be a number in [0, 1), not 2"],
    [{ perturb: "fgsm" }, 'perturb must be a function, not "fgsm"'],
    [Promise.resolve({}), "create must return an object or a function, a new one each time, not a Promise"],
  ])("%o", (made, message) => {
    const create = () => (made instanceof Promise ? made : { perturb: undefined, ...made }) as never;
    const method = defineMethod("mine", { summary: "mine", options: z.strictObject({}), create });
    expect(() => method()).toThrow(`training method mine: ${message}`);
  });
});
