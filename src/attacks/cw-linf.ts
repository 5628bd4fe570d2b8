import * as z from "zod";
import { scope } from "../engine/index.js";
import { margin } from "../nn/losses.js";
import { adam } from "../nn/optimizers.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { linfBall, linfRadius } from "./geometry/ball.js";

/**
 * The Carlini-Wagner margin under an l-infinity bound as Athalye, Carlini and Wagner (2018) ran it: Adam on the sign of
 * the margin's gradient, projected after each step; no random start, no early stop, the last iterate counts
 * (anishathalye/obfuscated-gradients, thermometer/robustml_attack.py).
 */
export const cwLinf = defineAttack("cw-linf", {
  summary: "Carlini-Wagner margin in an l-infinity ball by Adam on gradient signs, as Athalye et al. ran it",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    // paper: gives no step size; 0.01 is that of its PGD.
    stepSize: ratio({ min: 0 }).default(0.01).describe("learning rate of Adam, about a pixel's change in a step"),
    steps: z.int().min(0).default(40).describe("number of steps"),
  }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, stepSize, steps }, target, images, labels) {
    const ball = linfBall(images, epsilon);
    const adversarial = images.clone();
    const optimizer = adam(new Map([["images", adversarial]]));
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = target.gradient(adversarial, (logits) => margin(logits, labels));
        gradient.sign_();
        gradient.mul_(-1);
        optimizer.step([gradient], stepSize);
        ball.project_(adversarial);
      });
    }
    return adversarial;
  },
});
