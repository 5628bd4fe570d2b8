import { z } from "zod";
import { linfRadius } from "../../attacks/ball.js";
import { labelSource, labelsFrom } from "../../attacks/label-source.js";
import type { Tensor } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { define } from "../../options/named.js";
import type { TrainingMethod } from "./method.js";

/** FGSM examples without a random start (Goodfellow et al. 2015, eq. 2), as the paper trains. */
export const fgsm = define({
  name: "fgsm",
  summary: "FGSM examples without a random start, as the paper trains",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    labels: labelSource,
    sampled: z.boolean().default(false).describe("draw each image's radius from |N(0, (epsilon/2)^2)|, cut at epsilon"),
  }),
  create: ({ epsilon, labels: source, sampled }): TrainingMethod => {
    const step = (images: Tensor, gradient: Tensor) => images.add(gradient.sign(), epsilon).clamp(0, 1);
    return {
      perturb(target, images, labels) {
        const chosen = labelsFrom(source, target, images, labels);
        const { gradient } = target.gradient(images, (logits) => crossEntropy(logits, chosen));
        if (!sampled) return step(images, gradient);
        // Kurakin et al. 2017, section 4.1: radii of a truncated normal, so that no single radius is fitted.
        const radii = target
          .normal([1, 1, 1], 0)
          .abs()
          .mul(epsilon / 2)
          .clamp(0, epsilon);
        return images.add(gradient.sign().mul(radii)).clamp(0, 1);
      },
      fromCleanGradient: source === "given" && !sampled ? step : undefined,
    };
  },
});
