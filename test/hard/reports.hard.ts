// Reports of other tools' users, replayed on a trained network: DeepFool that stops on the boundary, steps in
// l2 that shrink with the gradient, FMN that ends too far away.
import { beforeAll, describe, expect, test } from "vitest";
import { type Attack, deepfool, fab, fmn, pgd } from "../../src/attacks/index.js";
import { mnist } from "../../src/datasets/index.js";
import { evaluate } from "../../src/evaluation/index.js";
import type { Model } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { train } from "../../src/training/index.js";

const { test: images } = mnist();
let model: Model;
beforeAll(async () => {
  const run = await train({
    model: "small",
    data: "mnist",
    method: "standard",
    epochs: 4,
    limit: 20_000,
    validationAttacks: [],
  });
  model = run.model;
});

async function left(of: Model | Classifier, attack: Attack, limit: number, batchSize?: number) {
  const found = await evaluate(of, images, { attacks: [attack], limit, ...(batchSize && { batchSize }) });
  const { robustAccuracy, distances } = found.attacks[0]!;
  return { accuracy: robustAccuracy, median: distances?.median, mean: distances?.mean };
}

describe("DeepFool crosses the boundary", () => {
  test.each(["l2", "linf"] as const)("in %s: no image is left", async (norm) => {
    const { accuracy, median } = await left(model, deepfool({ norm }), 300);
    expect(accuracy).toBe(0);
    // By the published code in PyTorch on a network of this recipe: 1.79.
    if (norm === "l2") expect(median).toBeGreaterThan(1.5);
    if (norm === "l2") expect(median).toBeLessThan(2.1);
  });

  test("whatever the size of the batch", async () => {
    const found = [];
    for (const size of [1, 7, 50]) found.push(await left(model, deepfool(), 50, size));
    expect(found[1]!.median).toBeCloseTo(found[0]!.median!, 3);
    expect(found[2]!.median).toBeCloseTo(found[0]!.median!, 3);
    expect(found.map(({ accuracy }) => accuracy)).toEqual([0, 0, 0]);
  });
});

test("FMN in l2 comes as close as FAB, and leaves no image", async () => {
  const [ours, by] = [
    await left(model, fmn({ norm: "l2" }), 200),
    await left(model, fab({ norm: "l2" }), 200),
  ];
  expect([ours.accuracy, by.accuracy]).toEqual([0, 0]);
  // Measured 1.002; within the balls and with the paper's last gamma, 1.019, and 2 % of the images are left.
  expect(ours.mean! / by.mean!).toBeLessThan(1.015);
});

describe("steps in l2 have their length, however small the gradient", () => {
  /** The same predictions by logits that are larger, whose softmax has smaller gradients. */
  const scaled = (factor: number): Classifier => {
    const plain = model.classifier();
    return {
      inputShape: plain.inputShape,
      classes: plain.classes,
      randomized: false,
      logits: (of, noise) => plain.logits(of, noise).mul(factor),
    };
  };
  const options = { norm: "l2", epsilon: 2, stepSize: 0.2, steps: 40, randomStart: false } as const;

  test.each([1, 3])("logits times %i, whose loss still has gradients", async (factor) => {
    const plain = await left(scaled(1), pgd({ ...options, loss: "margin" }), 100);
    const { accuracy } = await left(scaled(factor), pgd(options), 100);
    // Steps that shrink leave 38 % at 3 where steps of full length leave 23.
    expect(accuracy! - plain.accuracy!).toBeLessThanOrEqual(0.08);
  });

  test("logits times 10, where the margin loss finds what cross-entropy has no gradient for", async () => {
    const [plain, large] = [await margin(1), await margin(10)];
    expect(Math.abs(large - plain)).toBeLessThanOrEqual(0.02);
    const { accuracy } = await left(scaled(10), pgd(options), 100);
    // Steps that shrink leave 95 %; gradients that are zero, 27 of 100, cannot be followed.
    expect(accuracy).toBeLessThan(0.6);
  });

  const margin = async (factor: number) =>
    (await left(scaled(factor), pgd({ ...options, loss: "margin" }), 100)).accuracy!;
});
