import * as z from "zod";
import { crossEntropy } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./attack.js";
import { labelSource, labelsFrom } from "./label-source.js";
import { normOption, radiusFitsNorm, radiusOption } from "./norms.js";
import { projectedGradientAscent } from "./projected-gradient.js";

/** The basic iterative method: steps up the cross-entropy from the image itself (Kurakin, Goodfellow and Bengio 2017). */
export const bim = defineAttack("bim", {
  summary: "many small FGSM steps inside a ball, from the image itself",
  options: z
    .strictObject({
      epsilon: radiusOption(0.3),
      stepSize: ratio({ min: 0 }).default(0.03).describe("length of a step in the norm"),
      steps: z.int().min(0).default(10).describe("number of steps"),
      norm: normOption,
      labels: labelSource,
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: true, randomized: false }),
  run(given, target, images, labels) {
    const avoided = labelsFrom(given.labels, target, images, labels);
    const loss = (logits: typeof images) => crossEntropy(logits, avoided);
    return projectedGradientAscent({ ...given, randomStart: false }, target, images, loss);
  },
});
