import * as z from "zod";
import { linfRadius } from "../../attacks/index.js";
import { signStep } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineMethod, type MethodWork } from "./method.js";

/**
 * Noise-FGSM: a wide random start, one step, and no projection to the ball (de Jorge et al. 2022, Algorithm
 * 1).
 */
export const nFgsm = defineMethod("n-fgsm", {
  summary: "FGSM from a wide random start, not projected to the ball (de Jorge et al.)",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    noise: ratio({ above: 0 })
      .default(2)
      .describe("half-width of the random start, as a multiple of epsilon"),
    stepSize: ratio({ above: 0 }).optional().describe("step; epsilon when left out"),
  }),
  create: ({ epsilon, noise, stepSize = epsilon }): MethodWork => ({
    epsilon,
    perturb(victim, images, labels, stepScale = 1) {
      const start = images
        .add(victim.uniform(images.shape.slice(1), -noise * epsilon, noise * epsilon, 0))
        .clamp(0, 1);
      const { gradient } = victim.gradient(start, (logits) => crossEntropy(logits, labels));
      return signStep(start, gradient, stepSize * stepScale);
    },
  }),
});
