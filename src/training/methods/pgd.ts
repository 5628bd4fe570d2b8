import * as z from "zod";
import { linfRadius } from "../../attacks/geometry/ball.js";
import { projectedGradientAscent } from "../../attacks/search/projected-gradient.js";
import { crossEntropy } from "../../nn/index.js";
import { define } from "../../options/named.js";
import { ratio } from "../../options/ratio.js";
import type { TrainingMethod } from "./method.js";

/** PGD examples of `steps` steps from a random start (Madry et al. 2018, eq. 2.1): the paper's kappa is `steps`. */
export const pgd = define({
  name: "pgd",
  summary: "PGD examples: strong and slow",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    steps: z.int().min(1).default(40).describe("gradient steps, kappa"),
    stepSize: ratio({ above: 0 }).optional().describe("step; 2.5 epsilon / steps when left out"),
    randomStart: z.boolean().default(true).describe("start at a random point of the ball"),
  }),
  create: ({ epsilon, steps, stepSize = (2.5 * epsilon) / steps, randomStart }): TrainingMethod => ({
    epsilon,
    perturb(target, images, labels, stepScale = 1) {
      const ascent = { norm: "linf", epsilon, steps, stepSize: stepSize * stepScale, randomStart } as const;
      return projectedGradientAscent(ascent, target, images, (logits) => crossEntropy(logits, labels));
    },
  }),
});
