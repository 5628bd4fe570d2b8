import * as z from "zod";
import { scope, type Tensor } from "../engine/index.js";
import { adam } from "../nn/optimizers.js";
import { ratio } from "../options/ratio.js";
import { classesOf, type Ends, laterTargetOption, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import type { Target } from "./contract/target.js";
import { Closest } from "./search/closest.js";
import { ConstantSearch } from "./search/constant-search.js";
import { leadOf, wantedClassLeads } from "./search/lead.js";

const options = z.strictObject({
  steps: z.int().min(1).default(1000).describe("steps of Adam for each constant"),
  learningRate: ratio({ above: 0 }).default(0.01).describe("learning rate of Adam, in tanh space"),
  binarySearchSteps: z.int().min(1).default(9).describe("constants tried for each image"),
  initialConstant: ratio({ above: 0 }).default(0.001).describe("weight of the margin against the distance at first"),
  kappa: ratio({ min: 0 }).default(0).describe("lead of another class, in logits, that counts as success"),
  target: laterTargetOption,
});

type Options = z.output<typeof options>;

/**
 * Carlini and Wagner's l2 attack (2017, section VI.A; the paper's equations 4 and 5): Adam on w, where the adversarial
 * image is (tanh(w) + 1) / 2, minimizes squared distance + c * max(z_y - max_{i != y} z_i, -kappa). The constant c is
 * searched for each image. Returns the closest image that was misclassified by more than kappa at any step, or the
 * image as it was. Targeted to a class t, the margin is max_{i != t} z_i - z_t (the paper's f6), and an image whose label is
 * t stays as it is.
 *
 * Nothing stops early: an image's result would depend on its batch. A randomized network is misclassified where most of
 * several draws are.
 */
export const cwL2 = defineAttack("cw-l2", {
  summary: "closest misclassified image in l2, by Carlini and Wagner",
  options,
  traits: () => ({ norm: "l2", radius: undefined, usesGradients: true, randomized: false }),
  run(given, target, images, labels) {
    const ends: Ends = { labels, classes: classesOf(given.target, target, images, labels) };
    const closest = new Closest(images);
    const search = new ConstantSearch(images, given.initialConstant);
    for (let round = 0; round < given.binarySearchSteps; round++) {
      scope(() => search.update(minimize(given, target, images, ends, search.constants, closest)));
    }
    return unlessAimedAtLabel(ends, images, closest.images);
  },
});

/** One run of Adam with a constant (N) for each image; improves `closest` and tells who succeeded, bool (N). */
function minimize(
  { steps, learningRate, kappa }: Options,
  target: Target,
  images: Tensor,
  ends: Ends,
  constants: Tensor,
  closest: Closest,
): Tensor {
  // Black and white pixels have no finite w; the nearest grays have one.
  const w = images.mul(2).sub(1).clamp(-0.999999, 0.999999).atanh();
  const optimizer = adam(new Map([["w", w]]));
  const lead = leadOf(ends);
  const fooled = constants.lt(0);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const t = w.tanh();
      const candidates = t.add(1).div(2);
      const difference = candidates.sub(images);
      const { gradient, logits } = target.gradient(candidates, (z) => lead(z).neg().clamp(-kappa).mul(constants));
      gradient.add_(difference, 2);
      gradient.mul_(t.square().neg().add(1).div(2));
      optimizer.step([gradient], learningRate);
      const success = wantedClassLeads(target, candidates, ends, { kappa, logits });
      closest.keep(candidates, difference.square().sumDim([1, 2, 3]), success);
      fooled.copy_(fooled.logicalOr(success));
    });
  }
  return fooled;
}
