import * as z from "zod";
import { scope } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  goalOf,
  lossOf,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepSizeOption,
  stepsOption,
  targetOption,
  unlessAtTarget,
} from "../contract/options.js";
import { norms, toMeanSize1_ } from "../geometry/norms.js";

/** Options of the attacks whose gradients have momentum. */
export const momentumOptions = z
  .strictObject({
    epsilon: radiusOption(0.3),
    stepSize: stepSizeOption("epsilon / steps"),
    steps: stepsOption(10),
    decay: ratio({ min: 0 }).default(1).describe("share of the momentum that a step keeps"),
    norm: normOption,
    target: targetOption,
  })
  .refine(...radiusFitsNorm);

/**
 * Momentum iterative method: steps along m = decay * m + gradient / mean(|gradient|), projected to the ball
 * (Dong et al. 2018, algorithm 1).
 */
// paper: divides by the sum of |gradient|; the mean is that of the authors' code. A step has the same
// direction.
export const miFgsm = defineAttack("mi-fgsm", {
  summary: "FGSM steps along gradients with momentum, which transfer better",
  options: momentumOptions,
  traits: ({ norm, epsilon, target }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: false,
    target,
  }),
  fault: (options, { classes }) => classesFault(options, classes),
  run({ epsilon, steps, stepSize = epsilon / steps, decay, ...options }, victim, images, labels) {
    const norm = norms[options.norm];
    const ball = norm.ball(images, epsilon);
    const goal = goalOf(options.target, victim, images, labels);
    const adversarial = images.clone();
    const momentum = images.zerosLike();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = victim.gradient(adversarial, lossOf("cross-entropy", goal));
        toMeanSize1_(gradient);
        momentum.mul_(decay);
        momentum.add_(gradient);
        norm.ascend_(adversarial, momentum.clone(), stepSize, ball);
      });
    }
    return unlessAtTarget(goal, images, adversarial);
  },
});
