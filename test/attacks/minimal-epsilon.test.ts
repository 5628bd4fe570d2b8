import { describe, expect, test } from "vitest";
import { perturbationLengths } from "../../src/attacks/geometry/norms.js";
import {
  attacks,
  cwL2,
  expectation,
  fab,
  fgsm,
  minimalEpsilon,
  pgd,
  restarts,
  unconstrained,
  worstCase,
} from "../../src/attacks/index.js";
import { type Tensor, tensor } from "../../src/engine/index.js";
import { exactDistances, linear, linearContext, linearImages, linearLabels } from "./exact-distances.js";
import {
  accuracy,
  goldenImages,
  goldenLabels,
  quantizedCnn,
  randomBatch,
  randomCnn,
  tinyCnn,
} from "./tiny-networks.js";

const lengths = (adversarial: Tensor, norm: "linf" | "l2") =>
  perturbationLengths(adversarial.sub(linearImages), norm).toNumbers();

describe("minimal-epsilon", () => {
  test.each(["linf", "l2"] as const)("finds the distance to a linear network's boundary in %s", (norm) => {
    // Step after step points the same way on a plane, so PGD is exact but for its last step's length.
    const attack = minimalEpsilon(
      pgd({ norm, epsilon: 1, stepSize: 0.25, steps: 20, loss: "margin", randomStart: false }),
      {
        maximum: 0.5,
        rounds: 12,
      },
    );
    const found = lengths(attack(linear, linearImages, linearLabels, linearContext), norm);
    exactDistances(norm).forEach((exact, i) => {
      expect(found[i]).toBeGreaterThan(exact * 0.9999);
      // A success leads by more than rounding, about 1e-5 of a logit.
      expect(found[i]).toBeLessThan(exact + 0.5 / 2 ** 12 + 2e-5);
    });
  });

  test("gives back as it was what is wrong already, and what the attack fails at", () => {
    const attack = minimalEpsilon(fgsm(), { maximum: 0.02, rounds: 3 });
    const wrong = tensor([...linearLabels.toNumbers().slice(0, 3), 1], [4], "int64");
    const found = lengths(attack(linear, linearImages, wrong, linearContext), "linf");
    expect(found[3]).toBe(0);
    exactDistances("linf").forEach((exact, i) => {
      if (i < 3 && exact > 0.02) expect(found[i]).toBe(0);
    });
  });

  test("asks the attack once at the maximum and once a round for each image that is right", () => {
    const passes = { forward: 0, backward: 0 };
    const inside = pgd({ steps: 2, randomStart: false, loss: "margin", stepSize: 0.3 });
    minimalEpsilon(inside, { maximum: 0.5, rounds: 4 })(linear, linearImages, linearLabels, {
      ...linearContext,
      passes,
    });
    expect(passes.backward).toBe(4 * 2 * (1 + 4));
  });

  test("changes the radius inside other combinators, and keeps the step's share of it", () => {
    const inside = restarts(expectation(pgd({ epsilon: 0.2, stepSize: 0.05, steps: 3 }), { draws: 2 }), {
      times: 2,
    });
    const attack = minimalEpsilon(inside, { maximum: 0.4 });
    expect(attack.traits).toEqual({ ...inside.traits, radius: 0.4 });
    const remade = inside.remake(({ options }) =>
      "epsilon" in options ? { ...options, epsilon: 0.4 } : options,
    );
    expect(remade.call.of?.[0]?.of?.[0]?.options).toMatchObject({ epsilon: 0.4, stepSize: 0.05, steps: 3 });
    expect(remade.options).toEqual(inside.options);
    expect(minimalEpsilon(fab(), { maximum: 0.1 }).traits.radius).toBe(0.1);
  });

  test.each([
    [
      cwL2(),
      'attack minimal-epsilon: cw-l2 has no option "epsilon" to search; accepted: attacks that have one, such as pgd',
    ],
    [restarts(cwL2()), 'cw-l2 has no option "epsilon"'],
  ])("refuses %o", (inside, message) => {
    expect(() => minimalEpsilon(inside)).toThrow(RangeError);
    expect(() => minimalEpsilon(inside)).toThrow(message);
  });

  test("refuses a mixture one of which has no radius, and a maximum that the attack does not take", () => {
    expect(() => minimalEpsilon(worstCase([pgd({ norm: "l2" }), cwL2()]))).toThrow(
      'cw-l2 has no option "epsilon"',
    );
    expect(() => minimalEpsilon(fgsm(), { maximum: 2 })).toThrow('attack fgsm: option "epsilon" cannot be 2');
    expect(attacks.parse("minimal-epsilon(pgd(), maximum=0.5)").call.of?.[0]?.name).toBe("pgd");
  });
});

describe("unconstrained", () => {
  test.each([
    ["the golden network", tinyCnn],
    ["a random network", randomCnn],
    ["a randomized network", quantizedCnn],
  ] as const)("leaves %s no image", (_, model) => {
    const { images, labels, ids } = randomBatch(20, model);
    const adversarial = unconstrained({ steps: 60 })(model, images, labels, { seed: 1, imageIds: ids });
    expect(accuracy(model, images, labels)).toBeGreaterThan(0.4);
    expect(accuracy(model, adversarial, labels)).toBe(0);
  });

  test("keeps an image as it is once it is misclassified", () => {
    const adversarial = unconstrained()(tinyCnn, goldenImages, goldenLabels, {
      ...linearContext,
      imageIds: tensor([0, 1, 2, 3, 4, 5], [6], "int64"),
    });
    expect(adversarial.select(0, 4).toArray()).toEqual(goldenImages.select(0, 4).toArray());
  });
});
