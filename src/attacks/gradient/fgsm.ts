import * as z from "zod";
import { signStep } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  goalOf,
  labelsFrom,
  labelsOption,
  linfRadius,
  lossOf,
  targetOption,
  unlessAtTarget,
} from "../contract/options.js";

/**
 * Fast gradient sign method: x + epsilon * sign(gradient of the cross-entropy), clipped to [0, 1]
 * (Goodfellow, Shlens and Szegedy 2015). Targeted, a step down the cross-entropy of the class; with
 * `target=least-likely` the one-step target class method (Kurakin, Goodfellow and Bengio 2017, section 2.3).
 */
export const fgsm = defineAttack("fgsm", {
  summary: "one step of the radius along the sign of the gradient",
  options: z.strictObject({ epsilon: linfRadius(0.3), labels: labelsOption, target: targetOption }),
  traits: ({ epsilon, target }) => ({
    norm: "linf",
    radius: epsilon,
    usesGradients: true,
    randomized: false,
    target,
  }),
  fault: (options, { classes }) => classesFault(options, classes),
  run(options, victim, images, labels) {
    const avoided = labelsFrom(options.labels, victim, images, labels);
    const goal = goalOf(options.target, victim, images, avoided);
    const { gradient } = victim.gradient(images, lossOf("cross-entropy", goal));
    return unlessAtTarget(goal, images, signStep(images, gradient, options.epsilon));
  },
});
