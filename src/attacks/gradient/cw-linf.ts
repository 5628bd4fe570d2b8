import * as z from "zod";
import { scope } from "../../engine/index.js";
import { adam, margin } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { linfRadius, stepsOption } from "../contract/options.js";
import { norms } from "../geometry/norms.js";

/**
 * Carlini-Wagner margin under an l-infinity bound, as Athalye, Carlini and Wagner (2018) ran it: Adam on the
 * sign of the margin's gradient, projected after each step. No random start and no early stop; the last
 * iterate counts (anishathalye/obfuscated-gradients, thermometer/robustml_attack.py).
 */
// paper: gives no step size on MNIST; on CIFAR-10 it is 3.75 * epsilon / steps.
export const cwLinf = defineAttack("cw-linf", {
  summary: "Carlini-Wagner margin in an l-infinity ball by Adam on gradient signs, as Athalye et al. ran it",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    stepSize: ratio({ above: 0, max: 1 })
      .optional()
      .describe("learning rate of Adam, about a pixel's change in a step (default: 2.5 * epsilon / steps)"),
    steps: stepsOption(40),
  }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, steps, stepSize = (2.5 * epsilon) / steps }, victim, images, labels) {
    const ball = norms.linf.ball(images, epsilon);
    const adversarial = images.clone();
    const optimizer = adam().on(new Map([["images", adversarial]]));
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = victim.gradient(adversarial, (logits) => margin(logits, labels));
        gradient.sign_();
        gradient.mul_(-1);
        optimizer.step([gradient], stepSize);
        ball.project_(adversarial);
      });
    }
    return adversarial;
  },
});
