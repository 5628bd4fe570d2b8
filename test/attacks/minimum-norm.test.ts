import { describe, expect, test } from "vitest";
import { perturbationLengths } from "../../src/attacks/geometry/perturbation-length.js";
import { type Attack, cwL2, ddn, deepfool, ead, fab, fabT, fmn, type Norm } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { exactDistances, linear, linearContext, linearImages, linearLabels, noisyLinear } from "./exact-distances.js";
import { golden, goldenImages, goldenLabels, load, maxDifference, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "golden"), imageIds: imageIdRange(0, 6) };
const run = (attack: Attack) => attack(tinyCnn, goldenImages, goldenLabels, context);
const normOf = (attack: Attack) => attack.traits.norm as Norm;
const found = (attack: Attack): number[] =>
  perturbationLengths(run(attack).sub(goldenImages), normOf(attack)).toNumbers();

describe("minimum-norm attacks equal their references", () => {
  test.each([
    ["deepfool", deepfool({ steps: 20, overshoot: 0.02 })],
    ["fab_Linf", fab({ norm: "linf", steps: 20 })],
    ["fab_L2", fab({ norm: "l2", steps: 20 })],
    ["fab_L1", fab({ norm: "l1", steps: 20 })],
  ])("%s", (name, attack) => {
    const expected = golden.attacks[name]!;
    const adversarial = run(attack);
    expect(maxDifference(adversarial, load(expected.adv))).toBeLessThanOrEqual(2e-6);
    const logits = (images: Tensor) => tinyCnn.logits(images, { ...context, draw: 0 });
    const [values] = logits(load(expected.adv)).topk(2);
    const apart = values.select(1, 0).sub(values.select(1, 1)).toNumbers();
    // One of DeepFool's ends on a boundary, where the last bit decides.
    const decided = (predicted: readonly number[]) => predicted.filter((_, i) => apart[i]! > 1e-5);
    expect(decided(apart).length).toBeGreaterThanOrEqual(5);
    expect(decided(logits(adversarial).argmax(1).toNumbers())).toEqual(decided(expected.pred));
  });
});

describe("without a reference, come about as close as FAB's does", () => {
  // DDN's last steps, 0.01 long, are coarse against distances of 0.03 to 0.3.
  test.each([
    [fmn({ norm: "linf" }), golden.attacks.fab_Linf!.linf, 1.02],
    [fmn({ norm: "l2" }), golden.attacks.fab_L2!.l2, 1.02],
    [fmn({ norm: "l1" }), golden.attacks.fab_L1!.l1, 1.02],
    [ddn({ steps: 100 }), golden.attacks.fab_L2!.l2, 1.5],
    [
      ead({ decisionRule: "l1", beta: 0.01, steps: 50, binarySearchSteps: 3, initialConstant: 1 }),
      golden.attacks.fab_L1!.l1,
      1.2,
    ],
    [deepfool({ norm: "linf" }), golden.attacks.fab_Linf!.linf, 1.05],
  ])("%o", (attack, reference, slack) => {
    found(attack).forEach((length, i) => {
      expect(length).toBeGreaterThanOrEqual(0.9 * reference[i]!);
      expect(length).toBeLessThanOrEqual(slack * reference[i]!);
    });
  });
});

/** Each with the share by which it may miss the closest point of a linear network. */
const onLinear: [Attack, number][] = [
  [deepfool(), 0.021],
  [deepfool({ norm: "linf" }), 0.021],
  ...(["linf", "l2", "l1"] as const).flatMap((norm): [Attack, number][] => [
    [fab({ norm, steps: 20 }), 0.01],
    [fabT({ norm, steps: 20 }), 0.01],
  ]),
  [ead({ decisionRule: "l1", beta: 0.01, steps: 60, binarySearchSteps: 5, initialConstant: 0.3 }), 0.05],
  [ddn({ steps: 100 }), 0.05],
  [fmn({ norm: "linf", steps: 50 }), 0.02],
  [fmn({ norm: "l2", steps: 50 }), 0.02],
  [fmn({ norm: "l1", steps: 50 }), 0.02],
  [cwL2({ steps: 60, binarySearchSteps: 5, initialConstant: 0.3 }), 0.05],
];

describe.each(onLinear.map((one) => [one[0].label, ...one] as const))("%s", (_, attack, slack) => {
  const lengths = (model: Classifier) => {
    const adversarial = attack(model, linearImages, linearLabels, linearContext);
    return { adversarial, lengths: perturbationLengths(adversarial.sub(linearImages), normOf(attack)).toNumbers() };
  };
  const exact = exactDistances(normOf(attack));

  test("finds the closest point to a linear network's boundary", () => {
    const result = lengths(linear);
    const predicted = linear.logits(result.adversarial, { ...linearContext, draw: 0 }).argmax(1);
    expect(predicted.eq(linearLabels).any().item()).toBe(0);
    result.lengths.forEach((length, i) => {
      expect(length).toBeGreaterThan(exact[i]! * 0.9999);
      expect(length).toBeLessThan(exact[i]! * (1 + slack) + 1e-6);
    });
  });

  test("is not content with a lucky draw of a randomized network", () => {
    const { adversarial } = lengths(noisyLinear);
    const draws = Array.from({ length: 200 }, (_, draw) =>
      noisyLinear
        .logits(adversarial, { ...linearContext, draw })
        .argmax(1)
        .ne(linearLabels)
        .to("float32")
        .toNumbers(),
    );
    // At the boundary itself half of the draws are wrong; at the images 5 to 30 percent.
    linearLabels.toNumbers().forEach((_label, i) => {
      expect(draws.reduce((sum, draw) => sum + draw[i]!, 0) / draws.length).toBeGreaterThan(0.35);
    });
  });
});

describe("fab", () => {
  const all = found(fab({ steps: 20 }));

  test("with an epsilon gives back as it was what takes more", () => {
    const within = found(fab({ steps: 20, epsilon: 0.01 }));
    expect(within).toEqual(all.map((length) => (length <= 0.01 ? length : 0)));
  });

  test("restarts differ by seed and never lose what the first run found", () => {
    const attack = fab({ norm: "l1", steps: 1, restarts: 5 });
    const restarted = found(attack);
    const once = found(fab({ norm: "l1", steps: 1 }));
    expect(attack.traits.randomized).toBe(true);
    restarted.forEach((length, i) => {
      expect(length).toBeLessThanOrEqual(once[i]! || Number.POSITIVE_INFINITY);
    });
    const other = attack(tinyCnn, goldenImages, goldenLabels, { ...context, seed: deriveSeed(1, "golden") });
    expect(maxDifference(other, run(attack))).toBeGreaterThan(0);
  });

  test("by class after class comes as close as by all at once", () => {
    found(fabT({ steps: 20 })).forEach((length, i) => {
      expect(length).toBeLessThan(all[i]! * 1.02 + 1e-9);
    });
  });
});
