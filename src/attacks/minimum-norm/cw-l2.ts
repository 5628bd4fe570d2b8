import * as z from "zod";
import { scope, type Tensor } from "../../engine/index.js";
import { adam } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { classesFault, leadOf, reaches, stepsOption, targetOption } from "../contract/options.js";
import { constantOptions, type Minimization, withEachConstant } from "./constant-search.js";

const options = z.strictObject({
  steps: stepsOption(1000).describe("steps of Adam for each constant"),
  learningRate: ratio({ above: 0, max: 1 }).default(0.01).describe("learning rate of Adam, in tanh space"),
  ...constantOptions,
  target: targetOption,
});

type Options = z.output<typeof options>;

/**
 * Carlini and Wagner's l2 attack (2017, section VI.A; the paper's equations 4 and 5). Adam on w, where the
 * adversarial image is (tanh(w) + 1) / 2, minimizes squared distance + c * max(z_y - max_{i != y} z_i,
 * -kappa). The constant c is searched for each image. Returns the closest image that was misclassified by
 * more than kappa at any step, or the image itself. Targeted to a class t, the margin is max_{i != t} z_i -
 * z_t (the paper's f6). An image whose label is t stays as it is.
 *
 * Nothing stops early: an image's result would depend on its batch. A randomized classifier errs where most
 * of several draws do.
 */
export const cwL2 = defineAttack("cw-l2", {
  summary: "closest misclassified image in l2, by Carlini and Wagner",
  options,
  traits: ({ target }) => ({ norm: "l2", radius: undefined, usesGradients: true, randomized: false, target }),
  fault: (options, { classes }) => classesFault(options, classes),
  run: withEachConstant(minimize),
});

/** Runs Adam with a constant (N) for each image. */
function minimize({ options, victim, images, goal, constants, closest }: Minimization<Options>): Tensor {
  const { steps, learningRate, kappa } = options;
  // Black and white pixels have no finite w; the nearest grays have one.
  const w = images.mul(2).sub(1).clamp(-0.999999, 0.999999).atanh();
  const optimizer = adam().on(new Map([["w", w]]));
  const lead = leadOf(goal);
  const fooled = constants.lt(0);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const t = w.tanh();
      const candidates = t.add(1).div(2);
      const difference = candidates.sub(images);
      const { gradient, logits } = victim.gradient(candidates, (z) =>
        lead(z).neg().clamp(-kappa).mul(constants),
      );
      gradient.add_(difference, 2);
      gradient.mul_(t.square().neg().add(1).div(2));
      optimizer.step([gradient], learningRate);
      const success = reaches(goal, victim, candidates, { kappa, logits });
      closest.keep(candidates, difference.square().sumDim([1, 2, 3]), success);
      fooled.copy_(fooled.logicalOr(success));
    });
  }
  return fooled;
}
