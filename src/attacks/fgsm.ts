import * as z from "zod";
import { crossEntropy } from "../nn/losses.js";
import { defineAttack } from "./contract/attack.js";
import { labelSource, labelsFrom } from "./contract/label-source.js";
import { linfRadius } from "./geometry/ball.js";

/**
 * The fast gradient sign method: x + epsilon * sign(gradient of the cross-entropy), clipped to [0, 1]
 * (Goodfellow, Shlens and Szegedy 2015).
 */
export const fgsm = defineAttack("fgsm", {
  summary: "one step of the radius along the sign of the gradient",
  options: z.strictObject({ epsilon: linfRadius(0.3), labels: labelSource }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, labels: source }, target, images, labels) {
    const avoided = labelsFrom(source, target, images, labels);
    const { gradient } = target.gradient(images, (logits) => crossEntropy(logits, avoided));
    const adversarial = images.add(gradient.sign(), epsilon);
    adversarial.clamp_(0, 1);
    return adversarial;
  },
});
