import * as z from "zod";
import { linfRadius } from "../../attacks/index.js";
import { signStep } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineMethod, type MethodWork } from "./method.js";

/** FGSM from a random start, projected back to the ball (Wong, Rice and Kolter 2020, Algorithm 3). */
export const fgsmRs = defineMethod("fgsm-rs", {
  summary: "FGSM from a random start in the ball (Wong et al.)",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    stepSize: ratio({ above: 0 }).optional().describe("step; 1.25 epsilon when left out"),
  }),
  create: ({ epsilon, stepSize = 1.25 * epsilon }): MethodWork => ({
    epsilon,
    perturb(victim, images, labels, stepScale = 1) {
      const start = images.add(victim.uniform(images.shape.slice(1), -epsilon, epsilon, 0)).clamp(0, 1);
      const { gradient } = victim.gradient(start, (logits) => crossEntropy(logits, labels));
      return signStep(start, gradient, stepSize * stepScale, { images, radius: epsilon });
    },
  }),
});
