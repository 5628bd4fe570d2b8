import { describe, expect, test } from "vitest";
import { l2Norms } from "../../src/attacks/geometry/norms.js";
import { cwL2 } from "../../src/attacks/index.js";
import { ConstantSearch } from "../../src/attacks/minimum-norm/constant-search.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { margin } from "../../src/nn/losses.js";

// Logits x.a and x.b: the boundary is the plane x.(a - b) = 0, and the closest point to it is known.
const a = [0.9, 0.2, -0.4, 0.5];
const b = [0.1, 0.6, 0.3, -0.2];
const linear: Classifier = {
  inputShape: [1, 2, 2],
  classes: 2,
  randomized: false,
  logits: (images) => images.flatten(1).matmul(tensor([...a, ...b], [2, 4]).permute([1, 0])),
};

const pixels = [
  [0.7, 0.4, 0.3, 0.6],
  [0.5, 0.5, 0.4, 0.5],
  [0.3, 0.6, 0.6, 0.3],
  [0.8, 0.2, 0.5, 0.2],
];
const images = tensor(pixels.flat(), [4, 1, 2, 2]);
const context = { seed: deriveSeed(0, "cw-l2"), imageIds: imageIdRange(0, 4) };
const labels = linear.logits(images, { ...context, draw: 0 }).argmax(1);

const normal = a.map((value, i) => value - b[i]!);
const length = Math.hypot(...normal);
/** Distance of each image to the plane on which the other class leads by kappa. */
const distances = (kappa: number): number[] =>
  pixels.map((x) => (Math.abs(x.reduce((sum, value, i) => sum + value * normal[i]!, 0)) + kappa) / length);

const found = (adversarial: Tensor): number[] => l2Norms(adversarial.sub(images)).toNumbers();

describe("cw-l2 on a linear network", () => {
  test.each([0, 0.2])(
    "comes within 2 percent of the closest point, and not below it, with kappa %d",
    (kappa) => {
      const attack = cwL2({ steps: 300, binarySearchSteps: 9, initialConstant: 0.1, kappa });
      const adversarial = attack(linear, images, labels, context);
      const leads = margin(linear.logits(adversarial, { ...context, draw: 0 }), labels).toNumbers();
      for (const lead of leads) expect(lead).toBeGreaterThan(kappa);
      const closest = distances(kappa);
      found(adversarial).forEach((distance, i) => {
        expect(distance).toBeGreaterThan(closest[i]! - 1e-6);
        expect(distance).toBeLessThan(closest[i]! * 1.02);
      });
    },
  );

  test("the search of the constant finds what one constant misses", () => {
    const once = { steps: 50, binarySearchSteps: 1, initialConstant: 1e-4 };
    expect(found(cwL2(once)(linear, images, labels, context))).toEqual([0, 0, 0, 0]);
    const searched = found(cwL2({ ...once, binarySearchSteps: 6 })(linear, images, labels, context));
    expect(Math.min(...searched)).toBeGreaterThan(0);
  });

  test("the constant grows no larger than float32 bears, where nothing is a success", () => {
    const search = new ConstantSearch(images, 1e6);
    const none = labels.ne(labels);
    for (let step = 0; step < 60; step++) search.update(none);
    expect(search.constants.toNumbers()).toEqual(new Array(4).fill(1e10));
    search.update(none.logicalNot());
    expect(search.constants.isfinite().all().item()).toBe(1);
  });

  test("leaves an image that is misclassified already as it is", () => {
    const wrong = labels.neg().add(1);
    const adversarial = cwL2({ steps: 20, binarySearchSteps: 2 })(linear, images, wrong, context);
    expect(Math.max(...found(adversarial))).toBeLessThan(1e-6);
  });
});
