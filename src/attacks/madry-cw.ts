import * as z from "zod";
import { margin } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { linfRadius } from "./geometry/ball.js";
import { projectedGradientAscent } from "./search/projected-gradient.js";

/**
 * Madry's l-infinity PGD on the loss of Carlini and Wagner: ascent on -max(z_y - max_{i != y} z_i + kappa, 0), which
 * stops once another class leads by kappa (MadryLab/mnist_challenge, pgd_attack.py, loss "cw").
 */
export const madryCw = defineAttack("madry-cw", {
  summary: "PGD on the Carlini-Wagner margin, as Madry's challenges run it",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    stepSize: ratio({ min: 0 }).default(0.01).describe("change of a pixel in a step"),
    steps: z.int().min(0).default(40).describe("number of steps"),
    randomStart: z.boolean().default(true).describe("start from a random point of the ball"),
    kappa: ratio({ min: 0 }).default(50).describe("lead of another class, in logits, that is enough"),
  }),
  traits: ({ epsilon, randomStart }) => ({
    norm: "linf",
    radius: epsilon,
    usesGradients: true,
    randomized: randomStart,
  }),
  run({ kappa, ...ascent }, target, images, labels) {
    const loss = (logits: typeof images) => margin(logits, labels).sub(kappa).neg().relu().neg();
    return projectedGradientAscent({ ...ascent, norm: "linf" }, target, images, loss);
  },
});
