import * as z from "zod";
import { ratio } from "../options/ratio.js";
import { type Aim, aimOf, classesOf, lossOf, lossOption, targetOption, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { labelSource, labelsFrom } from "./contract/label-source.js";
import { type Proposal, selectionDraws, worstProposal } from "./contract/selection.js";
import { normOption, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { projectedGradientAscent } from "./search/projected-gradient.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    stepSize: ratio({ min: 0 }).default(0.01).describe("length of a step in the norm"),
    steps: z.int().min(0).default(40).describe("number of steps"),
    norm: normOption,
    randomStart: z.boolean().default(true).describe("start from a random point of the ball"),
    restarts: z.int().min(1).default(1).describe("runs, of which each image's worst case is kept"),
    loss: lossOption,
    labels: labelSource,
    target: targetOption,
    selectionDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Projected gradient descent: steps up the loss, each projected to the ball and to [0, 1]; the last iterate of a run
 * counts (Madry et al. 2018). With 0 steps, the random start alone. Targeted, an image whose label is the class aimed at
 * stays as it is.
 */
export const pgd = defineAttack("pgd", {
  summary: "many steps up the loss inside a ball, from a random start",
  options,
  traits: ({ norm, epsilon, randomStart }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: randomStart,
  }),
  run(given, target, images, labels) {
    const avoided = labelsFrom(given.labels, target, images, labels);
    const aim: Aim = {
      loss: given.loss,
      labels: avoided,
      classes: classesOf(given.target, target, images, avoided),
    };
    const run =
      (restart: number): Proposal =>
      (seen, some, _, rows) =>
        projectedGradientAscent(given, seen, some, lossOf(aimOf(aim, rows)), restart);
    // Without any randomness all runs are the same.
    const restarts = given.randomStart || target.randomized ? given.restarts : 1;
    const runs = Array.from({ length: restarts }, (_, restart) => run(restart));
    const adversarial = worstProposal(runs, target, images, labels, given.selectionDraws);
    return unlessAimedAtLabel(aim, images, adversarial);
  },
});
