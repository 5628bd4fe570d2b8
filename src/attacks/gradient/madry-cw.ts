import * as z from "zod";
import { scope, signStep_, type Tensor } from "../../engine/index.js";
import { margin } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { linfRadius, stepSizeOption, stepsOption } from "../contract/options.js";
import { norms } from "../geometry/norms.js";

/**
 * Madry's l-infinity PGD on the loss of Carlini and Wagner, -max(z_y - max_{i != y} z_i + kappa, 0). The
 * ascent stops once another class leads by kappa (MadryLab/mnist_challenge, pgd_attack.py, loss "cw").
 */
export const madryCw = defineAttack("madry-cw", {
  summary: "PGD on the Carlini-Wagner margin, as Madry's challenges run it",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    stepSize: stepSizeOption("2.5 * epsilon / steps"),
    steps: stepsOption(40),
    randomStart: z.boolean().default(true).describe("start from a random point of the ball"),
    kappa: ratio({ min: 0 }).default(50).describe("margin in logits by which another class must lead"),
  }),
  traits: ({ epsilon, randomStart }) => ({
    norm: "linf",
    radius: epsilon,
    usesGradients: true,
    randomized: randomStart,
  }),
  run({ epsilon, steps, stepSize = (2.5 * epsilon) / steps, randomStart, kappa }, victim, images, labels) {
    const loss = (logits: Tensor) => margin(logits, labels).sub(kappa).neg().relu().neg();
    const adversarial = images.clone();
    if (randomStart) {
      scope(() => adversarial.add_(norms.linf.inside(victim, images.shape.slice(1), epsilon, 0)));
      norms.linf.ball(images, epsilon).project_(adversarial);
    }
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = victim.gradient(adversarial, loss);
        signStep_(adversarial, gradient, stepSize, { images, radius: epsilon });
      });
    }
    return adversarial;
  },
});
