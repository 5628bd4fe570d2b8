import * as z from "zod";
import { linfRadius } from "../../attacks/geometry/ball.js";
import { signStep } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { define } from "../../options/named.js";
import { ratio } from "../../options/ratio.js";
import type { TrainingMethod } from "./method.js";

/** Noise-FGSM: a wide random start, one step, and no projection to the ball (de Jorge et al. 2022, Algorithm 1). */
export const nFgsm = define({
  name: "n-fgsm",
  summary: "FGSM from a wide random start, not projected to the ball (de Jorge et al.)",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    noise: ratio({ above: 0 }).default(2).describe("half-width of the random start, in epsilons"),
    stepSize: ratio({ above: 0 }).optional().describe("step; epsilon when left out"),
  }),
  create: ({ epsilon, noise, stepSize = epsilon }): TrainingMethod => ({
    epsilon,
    perturb(target, images, labels, stepScale = 1) {
      const start = images.add(target.uniform(images.shape.slice(1), -noise * epsilon, noise * epsilon, 0)).clamp(0, 1);
      const { gradient } = target.gradient(start, (logits) => crossEntropy(logits, labels));
      return signStep(start, gradient, stepSize * stepScale);
    },
  }),
});
