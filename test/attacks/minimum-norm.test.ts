import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { perturbationLengths } from "../../src/attacks/geometry/norms.js";
import {
  type Attack,
  cwL2,
  ddn,
  deepfool,
  ead,
  fab,
  fabT,
  fmn,
  hopSkipJump,
  type Norm,
  restarts,
  within,
  worstCase,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import {
  exactDistances,
  linear,
  linearContext,
  linearImages,
  linearLabels,
  noisyLinear,
} from "./exact-distances.js";
import { golden, goldenImages, goldenLabels, load, maxDifference, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "golden"), imageIds: imageIdRange(0, 6) };
const run = (attack: Attack) => attack(tinyCnn, goldenImages, goldenLabels, context);
const normOf = (attack: Attack) => attack.traits.norm as Norm;
const found = (attack: Attack): number[] =>
  perturbationLengths(run(attack).sub(goldenImages), normOf(attack)).toNumbers();

test.each(["linf", "l2", "l1"] as const)(
  "brought to a radius, %s perturbations keep their direction",
  (norm) => {
    const inner = fmn({ norm, steps: 20 });
    const moved = run(inner).sub(goldenImages).toNumbers();
    const lengths = found(inner);
    const radius = Math.max(...lengths) / 2;
    const at = run(within(inner, { epsilon: radius, at: "radius" })).toNumbers();
    const pixels = goldenImages.toNumbers();
    // Some are longer than that, some shorter, and both come there.
    expect(lengths.some((length) => length > radius)).toBe(true);
    expect(lengths.some((length) => length > 0 && length < radius)).toBe(true);
    for (const [i, pixel] of pixels.entries()) {
      const length = lengths[Math.floor(i / 128)]!;
      const wanted = length === 0 ? pixel : pixel + (moved[i]! / length) * radius;
      expect(Math.abs(at[i]! - Math.min(1, Math.max(0, wanted)))).toBeLessThan(1e-5);
    }
  },
);

describe("minimum-norm attacks equal their references", () => {
  test.each([
    ["fab_Linf", fab({ norm: "linf", steps: 20 })],
    ["fab_L2", fab({ norm: "l2", steps: 20 })],
    ["fab_L1", fab({ norm: "l1", steps: 20 })],
  ])("%s", (name, attack) => {
    const expected = golden.attacks[name]!;
    const adversarial = run(attack);
    // Instruction sets add in different orders: 20 steps in l1 end up to 3e-6 apart.
    expect(maxDifference(adversarial, load(expected.adv))).toBeLessThanOrEqual(1e-5);
    const predicted = tinyCnn.logits(adversarial, { ...context, draw: 0 }).argmax(1);
    expect(predicted.toNumbers()).toEqual(expected.pred);
  });

  // The file says how its values were made; torchattacks' DeepFool, in attacks_tinycnn.json, ends on the
  // boundary itself.
  test.each(["l2", "linf"] as const)("deepfool in %s", (norm) => {
    const expected = JSON.parse(readFileSync(new URL("../golden/deepfool.json", import.meta.url), "utf8"))[
      norm
    ];
    expect(maxDifference(run(deepfool({ norm, steps: 20 })), load(expected))).toBeLessThanOrEqual(2e-6);
  });
});

test("ddn leaves a point whose gradient is 0, in any direction", () => {
  // Class 1 leads from a distance of sqrt(0.05) on; up to 0.2 nothing changes.
  const plateau: Classifier = {
    inputShape: [1, 4, 4],
    classes: 2,
    randomized: false,
    logits: (images) => {
      const outside = images.sub(0.5).square().sumDim([1, 2, 3], false).sub(0.04).clamp(0).mul(100);
      return outside
        .reshape([-1, 1])
        .matmul(tensor([0, 1], [1, 2]))
        .add(tensor([1, 0], [1, 2]));
    },
  };
  const images = tensor(new Float32Array(48).fill(0.5), [3, 1, 4, 4]);
  const labels = tensor(new Int32Array(3), [3], "int64");
  const own = { seed: deriveSeed(0, "plateau"), imageIds: imageIdRange(0, 3) };
  const moved = ddn({ steps: 200 })(plateau, images, labels, own).sub(images);
  for (const length of perturbationLengths(moved, "l2").toNumbers()) {
    expect(length).toBeGreaterThan(Math.sqrt(0.05));
    expect(length).toBeLessThan(1.05 * Math.sqrt(0.05));
  }
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
  // Overshoot of 2 %, and 1e-4 beyond distances of 0.015 at least.
  [deepfool(), 0.028],
  [deepfool({ norm: "linf" }), 0.028],
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

describe.each(onLinear.map((row) => [String(row[0]), ...row] as const))("%s", (_, attack, slack) => {
  const lengths = (model: Classifier) => {
    const adversarial = attack(model, linearImages, linearLabels, linearContext);
    return {
      adversarial,
      lengths: perturbationLengths(adversarial.sub(linearImages), normOf(attack)).toNumbers(),
    };
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
    const near = found(fab({ steps: 20, epsilon: 0.01 }));
    expect(near).toEqual(all.map((length) => (length <= 0.01 ? length : 0)));
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

describe("of attacks that minimize the distance", () => {
  const lengthsOf = (attack: Attack) => [
    ...perturbationLengths(
      attack(linear, linearImages, linearLabels, linearContext).sub(linearImages),
      "l2",
    ).toNumbers(),
  ];

  test("the closest success counts over several attacks", () => {
    const members = [ddn({ steps: 8 }), deepfool({ overshoot: 0.3 }), hopSkipJump({ steps: 2, samples: 10 })];
    const each = members.map(lengthsOf);
    const closest = linearLabels
      .toNumbers()
      .map((_, i) => Math.min(...each.map((lengths) => lengths[i] || Infinity)));
    expect(lengthsOf(worstCase(members))).toEqual([...closest]);
  });

  test("more restarts only come closer", () => {
    const attack = hopSkipJump({ steps: 1, samples: 10 });
    const [one, five] = [lengthsOf(attack), lengthsOf(restarts(attack, { times: 5 }))];
    five.forEach((length, i) => {
      expect(length).toBeLessThanOrEqual(one[i]!);
    });
    expect(five).not.toEqual(one);
  });

  test("an image that none fools, and one that is wrong already, stay as they are", () => {
    const sure: Classifier = {
      ...linear,
      logits: (x, noise) => linear.logits(x.mul(0), noise).add(tensor([9, 0, 0], [1, 3])),
    };
    const labels = tensor([0, 0, 1, 0], [4], "int64");
    const result = worstCase([ddn({ steps: 3 }), cwL2({ steps: 3 })])(
      sure,
      linearImages,
      labels,
      linearContext,
    );
    expect(result.toArray()).toEqual(linearImages.toArray());
  });
});

describe("deepfool", () => {
  // Class 1's pixels are dark and class 0's are bright: most of each step leaves [0, 1].
  const bright: Classifier = {
    inputShape: [1, 2, 4],
    classes: 2,
    randomized: false,
    logits: (images) =>
      images
        .flatten(1)
        .sub(0.5)
        .matmul(tensor([-1, -1, -1, -1, 0.2, 0.2, 0.1, 0.1], [8, 1]))
        .matmul(tensor([0, 1], [1, 2])),
  };
  const count = 12;
  const clean = tensor(
    Array.from({ length: 8 * count }, (_, i) => (i % 8 < 4 ? 0.98 - 0.002 * i : 0.9)),
    [count, 1, 2, 4],
  );
  const zeros = tensor(new Array<number>(count).fill(0), [count], "int64");
  const ids = imageIdRange(0, count);
  const attacked = (attack: Attack, from = 0, to = count) =>
    attack(bright, clean.slice(0, from, to), zeros.slice(0, from, to), {
      seed: 0,
      imageIds: ids.slice(0, from, to),
    });

  test.each(["l2", "linf"] as const)(
    "leaves none in %s where the pixel range cuts its steps, in any batch",
    (norm) => {
      const attack = deepfool({ norm });
      const together = attacked(attack);
      const wrong = (images: Tensor) =>
        bright.logits(images, { seed: { low: 0, high: 0 }, draw: 0, imageIds: ids }).argmax(1);
      expect(wrong(together).eq(1).all().item()).toBe(1);
      for (let i = 0; i < count; i++) {
        expect(maxDifference(attacked(attack, i, i + 1), together.slice(0, i, i + 1))).toBeLessThan(1e-6);
      }
    },
  );

  test("looks at the classes with the largest logits, and goes back once for each and the label", () => {
    // At 0.5 the logits are 0, -0.1, -0.15: class 1 comes second, and class 2 has the nearer boundary.
    const weights = tensor([0, 1, 3], [1, 3]);
    const three: Classifier = {
      inputShape: [1, 1, 1],
      classes: 3,
      randomized: false,
      logits: (images) =>
        images
          .flatten(1)
          .sub(0.5)
          .matmul(weights)
          .add(tensor([0, -0.1, -0.15], [3])),
    };
    const at = (candidates: number) => {
      const passes = { forward: 0, backward: 0 };
      const image = tensor([0.5], [1, 1, 1, 1]);
      const label = tensor([0], [1], "int64");
      const given = { seed: 0, imageIds: imageIdRange(0, 1), passes };
      const attacked = deepfool({ candidates, overshoot: 0 })(three, image, label, given);
      return { moved: attacked.item() - 0.5, backward: passes.backward };
    };
    const [second, both] = [at(1), at(2)];
    expect([second.backward, both.backward]).toEqual([2, 3]);
    expect(second.moved).toBeCloseTo(0.1001, 5);
    expect(both.moved).toBeCloseTo(0.0501, 5);
  });

  test("spends passes on those images only that are left", () => {
    const passes = { forward: 0, backward: 0 };
    deepfool({ steps: 50 })(tinyCnn, goldenImages, goldenLabels, { ...context, passes });
    // One image is misclassified from the start, and no other takes 50 steps of ten passes backward.
    expect(passes.backward).toBeLessThan(5 * 10 * 8);
    expect(passes.backward).toBeGreaterThanOrEqual(5 * 10);
  });
});
