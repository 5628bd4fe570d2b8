import * as z from "zod";
import { scope } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  goalOf,
  labelsFrom,
  labelsOption,
  lossOf,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepSizeOption,
  stepsOption,
  targetOption,
  unlessAtTarget,
} from "../contract/options.js";
import { norms } from "../geometry/norms.js";

/**
 * Basic iterative method: small FGSM steps from the image itself, each clipped to the ball. With
 * `target=least-likely`, the iterative least-likely class method (Kurakin, Goodfellow and Bengio 2017,
 * sections 2.2 and 2.3).
 */
// paper: steps of one gray level, min(epsilon + 4, 1.25 epsilon) of them; the default keeps the ratio of
// 1.25.
export const bim = defineAttack("bim", {
  summary: "many small FGSM steps inside a ball, from the image itself",
  options: z
    .strictObject({
      epsilon: radiusOption(0.3),
      stepSize: stepSizeOption("1.25 * epsilon / steps"),
      steps: stepsOption(10),
      norm: normOption,
      labels: labelsOption,
      target: targetOption,
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon, target }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: false,
    target,
  }),
  fault: (options, { classes }) => classesFault(options, classes),
  run({ epsilon, steps, stepSize = (1.25 * epsilon) / steps, ...options }, victim, images, labels) {
    const norm = norms[options.norm];
    const ball = norm.ball(images, epsilon);
    const goal = goalOf(options.target, victim, images, labelsFrom(options.labels, victim, images, labels));
    const adversarial = images.clone();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = victim.gradient(adversarial, lossOf("cross-entropy", goal));
        norm.ascend_(adversarial, gradient, stepSize, ball);
      });
    }
    return unlessAtTarget(goal, images, adversarial);
  },
});
