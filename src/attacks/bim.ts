import * as z from "zod";
import { ratio } from "../options/ratio.js";
import { type Aim, classesOf, lossOf, targetOption, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { labelSource, labelsFrom } from "./contract/label-source.js";
import { normOption, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { projectedGradientAscent } from "./search/projected-gradient.js";

/**
 * The basic iterative method: steps up the cross-entropy from the image itself; with `target=least-likely` the iterative
 * least-likely class method (Kurakin, Goodfellow and Bengio 2017, sections 2.2 and 2.3).
 */
export const bim = defineAttack("bim", {
  summary: "many small FGSM steps inside a ball, from the image itself",
  options: z
    .strictObject({
      epsilon: radiusOption(0.3),
      stepSize: ratio({ min: 0 }).default(0.03).describe("length of a step in the norm"),
      steps: z.int().min(0).default(10).describe("number of steps"),
      norm: normOption,
      labels: labelSource,
      target: targetOption,
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: true, randomized: false }),
  run(given, target, images, labels) {
    const avoided = labelsFrom(given.labels, target, images, labels);
    const classes = classesOf(given.target, target, images, avoided);
    const aim: Aim = { loss: "cross-entropy", labels: avoided, classes };
    const adversarial = projectedGradientAscent({ ...given, randomStart: false }, target, images, lossOf(aim));
    return unlessAimedAtLabel(aim, images, adversarial);
  },
});
