import * as z from "zod";
import { signStep_ } from "../../engine/index.js";
import { losses } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { queryDraws, querySearch } from "../black-box/query-search.js";
import { defineAttack } from "../contract/attack.js";
import { classesFault, lossOption, stepsOption } from "../contract/options.js";
import { clearMargin } from "../contract/passes.js";

/**
 * Steps up the loss with no bound but [0, 1], keeping each image's highest margin. Accuracy must fall to 0,
 * or else the gradients mislead (Carlini et al. 2019, section 5.2).
 *
 * An image is left alone once it is misclassified. Against a randomized classifier the margin is a mean over
 * draws.
 */
export const unconstrained = defineAttack("unconstrained", {
  summary: "many large steps with no radius but [0, 1], to see that accuracy falls to 0",
  options: z.strictObject({
    steps: stepsOption(200),
    stepSize: ratio({ above: 0, max: 1 })
      .default(0.05)
      .describe("length of a step, along the sign of the gradient"),
    loss: lossOption
      .default("margin")
      .describe(
        "loss that the steps increase; a margin's gradient does not vanish where the classifier is sure",
      ),
    draws: queryDraws,
  }),
  traits: () => ({ norm: "linf", radius: 1, usesGradients: true, randomized: false }),
  fault: ({ loss }, { classes }) => classesFault({ loss }, classes),
  run({ steps, stepSize, loss, draws }, victim, images, labels) {
    const margins = victim.query(images, labels, clearMargin, draws);
    const state = { images, labels, adversarial: images.clone(), margins, points: images.clone() };
    querySearch(victim, state, { steps, accept: "better" }, (part, { points, labels: own }) => {
      const { gradient } = part.gradient(points, (logits) => losses[loss](logits, own));
      signStep_(points, gradient, stepSize);
      return { candidates: points, margins: part.query(points, own, clearMargin, draws) };
    });
    return state.adversarial;
  },
});
