import * as z from "zod";
import { signStep } from "../engine/index.js";
import { type Aim, classesOf, laterTargetOption, lossOf, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { labelSource, labelsFrom } from "./contract/label-source.js";
import { linfRadius } from "./geometry/ball.js";

/**
 * The fast gradient sign method: x + epsilon * sign(gradient of the cross-entropy), clipped to [0, 1]
 * (Goodfellow, Shlens and Szegedy 2015). Targeted, one step down the cross-entropy of the class; with `target=least-likely`
 * the one-step target class method (Kurakin, Goodfellow and Bengio 2017, section 2.3).
 */
export const fgsm = defineAttack("fgsm", {
  summary: "one step of the radius along the sign of the gradient",
  options: z.strictObject({ epsilon: linfRadius(0.3), labels: labelSource, target: laterTargetOption }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, labels: source, target: choice }, target, images, labels) {
    const avoided = labelsFrom(source, target, images, labels);
    const classes = classesOf(choice, target, images, avoided);
    const aim: Aim = { loss: "cross-entropy", labels: avoided, classes };
    const { gradient } = target.gradient(images, lossOf(aim));
    return unlessAimedAtLabel(aim, images, signStep(images, gradient, epsilon));
  },
});
