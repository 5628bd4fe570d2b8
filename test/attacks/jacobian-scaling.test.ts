import { expect, it } from "vitest";
import * as z from "zod";
import { jacobianScaling } from "../../src/attacks/combinators/jacobian-scaling.js";
import { defineAttack } from "../../src/attacks/index.js";
import { imageIdRange, operators as ops, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";

/**
 * Logits 3 a + 4 b and 4 a - 3 b of two pixels: rows at a right angle, so that both singular values are 5.
 */
const matrix = tensor(Float32Array.of(3, 4, 4, -3), [2, 2]);
const skew = tensor(Float32Array.of(3, 0, 0, 1), [2, 2]);

const linear = (weights: typeof matrix): Classifier => ({
  inputShape: [1, 1, 2],
  classes: 2,
  randomized: false,
  logits: (images) => ops.linear(images.flatten(1), weights),
});

/** Answers that an attack inside sees: the logits, and nothing is changed. */
function seenBy(model: Classifier): { logits: number[]; passes: { forward: number; backward: number } } {
  let logits: number[] = [];
  const probe = defineAttack("probe", {
    summary: "looks at the logits",
    options: z.strictObject({}),
    traits: () => ({ norm: "linf", radius: 0, usesGradients: true, randomized: false }),
    run(_, victim, images) {
      logits = [...victim.logits(images).toNumbers()];
      return images;
    },
  });
  const images = tensor(Float32Array.of(0.5, 0.25), [1, 1, 1, 2]);
  const passes = { forward: 0, backward: 0 };
  jacobianScaling([probe()])(model, images, tensor([0], [1], "int64"), {
    seed: 0,
    imageIds: imageIdRange(0, 1),
    passes,
  });
  return { logits, passes };
}

it("divides logits by the mean singular value of their Jacobian", () => {
  // (2.5, 1.25) / 5, and of singular values 3 and 1, (1.5, 0.25) / 2.
  for (const [weights, expected] of [
    [matrix, [0.5, 0.25]],
    [skew, [0.75, 0.125]],
  ] as const) {
    const { logits } = seenBy(linear(weights));
    logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(expected[i]!, 5);
    });
  }
});

it("takes one pass forward for the Jacobian, and one backward for each class", () => {
  expect(seenBy(linear(matrix)).passes).toEqual({ forward: 2, backward: 2 });
});
