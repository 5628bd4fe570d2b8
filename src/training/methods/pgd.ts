import * as z from "zod";
import { normOption, norms, radiusFitsNorm, radiusOption, stepSizeOption } from "../../attacks/index.js";
import { scope } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { defineMethod, type MethodWork } from "./method.js";

/** PGD examples from a random start (Madry et al. 2018, equation 2.1); the paper's kappa is `steps`. */
export const pgd = defineMethod("pgd", {
  summary: "PGD examples: strong and slow",
  options: z
    .strictObject({
      epsilon: radiusOption(0.3),
      norm: normOption,
      steps: z.int().min(1).default(40).describe("number of steps"),
      stepSize: stepSizeOption("2.5 * epsilon / steps"),
      randomStart: z.boolean().default(true).describe("start at a random point of the ball"),
    })
    .refine(...radiusFitsNorm),
  create: ({ epsilon, norm, steps, stepSize = (2.5 * epsilon) / steps, randomStart }): MethodWork => ({
    epsilon,
    norm,
    perturb(victim, images, labels, stepScale = 1) {
      const geometry = norms[norm];
      const ball = geometry.ball(images, epsilon);
      const adversarial = images.clone();
      if (randomStart) {
        scope(() => adversarial.add_(geometry.inside(victim, images.shape.slice(1), epsilon, 0)));
        ball.project_(adversarial);
      }
      for (let step = 0; step < steps; step++) {
        scope(() => {
          const { gradient } = victim.gradient(adversarial, (logits) => crossEntropy(logits, labels));
          geometry.ascend_(adversarial, gradient, stepSize * stepScale, ball);
        });
      }
      return adversarial;
    },
  }),
});
