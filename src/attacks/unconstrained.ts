import * as z from "zod";
import { signStep_ } from "../engine/index.js";
import { type LossName, losses, margin } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { queryDraws } from "./contract/query-options.js";
import { attackStanding } from "./search/standing.js";

/**
 * Steps up the loss with no bound but [0, 1], keeping each image's highest margin: must reach an accuracy of 0, or else the
 * gradients mislead (Carlini et al. 2019, section 5.2).
 *
 * An image is left alone once it is misclassified. Against a randomized network the margin is a mean over `draws` draws.
 */
export const unconstrained = defineAttack("unconstrained", {
  summary: "many large steps with no radius but [0, 1], to see that accuracy falls to 0",
  options: z.strictObject({
    steps: z.int().min(1).default(200).describe("number of steps"),
    stepSize: ratio({ above: 0 }).default(0.05).describe("length of a step, along the sign of the gradient"),
    loss: z
      .enum(Object.keys(losses) as [LossName, ...LossName[]])
      .default("margin")
      .describe("what the steps increase; a margin's gradient does not vanish where the network is sure"),
    draws: queryDraws,
  }),
  traits: () => ({ norm: "linf", radius: 1, usesGradients: true, randomized: false }),
  run({ steps, stepSize, loss, draws }, target, images, labels) {
    const margins = target.query(images, labels, margin, draws);
    const state = { images, labels, adversarial: images.clone(), margins, points: images.clone() };
    attackStanding(target, state, { steps, accept: "better" }, (seen, { points, labels: theirs }) => {
      const { gradient } = seen.gradient(points, (logits) => losses[loss](logits, theirs));
      signStep_(points, gradient, stepSize);
      return { candidates: points, margins: seen.query(points, theirs, margin, draws) };
    });
    return state.adversarial;
  },
});
