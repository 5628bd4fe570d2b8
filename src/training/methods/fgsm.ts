import * as z from "zod";
import { labelsFrom, labelsOption, linfRadius, type Victim } from "../../attacks/index.js";
import { operators as ops, signStep, type Tensor } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { defineMethod, type MethodWork } from "./method.js";

/**
 * Draws |N(0, 1)| an image, (N, 1, 1, 1), again where it is beyond 2: radii of which no single one can be
 * fitted (Kurakin et al. 2017, section 4.1).
 */
function truncatedNormal(victim: Victim): Tensor {
  const draw = (stream: number) => victim.normal([1, 1, 1], stream).abs();
  // Once in 200,000 images the fourth draw is still beyond.
  return [1, 2, 3]
    .reduce((radii, stream) => ops.where(radii.gt(2), draw(stream), radii), draw(0))
    .clamp(0, 2);
}

/** FGSM examples without a random start (Goodfellow et al. 2015, eq. 2), as the paper trains. */
export const fgsm = defineMethod("fgsm", {
  summary: "FGSM examples without a random start, as the paper trains",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    labels: labelsOption,
    sampled: z
      .boolean()
      .default(false)
      .describe("draw each image's radius from |N(0, (epsilon/2)^2)| up to epsilon"),
  }),
  create: ({ epsilon, labels: source, sampled }): MethodWork => {
    const step = (images: Tensor, gradient: Tensor, stepScale = 1) =>
      signStep(images, gradient, epsilon * stepScale);
    return {
      epsilon,
      perturb(victim, images, labels, stepScale = 1) {
        const chosen = labelsFrom(source, victim, images, labels);
        const { gradient } = victim.gradient(images, (logits) => crossEntropy(logits, chosen));
        if (!sampled) return step(images, gradient, stepScale);
        const radii = truncatedNormal(victim).mul((epsilon * stepScale) / 2);
        return images.add(gradient.sign().mul(radii)).clamp(0, 1);
      },
      fromCleanGradient: source === "given" && !sampled ? step : undefined,
    };
  },
});
