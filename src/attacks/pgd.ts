import * as z from "zod";
import { type LossName, losses } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./attack.js";
import { labelSource, labelsFrom } from "./label-source.js";
import { projectedGradientAscent } from "./projected-gradient.js";
import { type Proposal, selectionDraws, worstProposal } from "./selection.js";

const options = z
  .strictObject({
    epsilon: ratio({ min: 0 }).default(0.3).describe("radius in the norm, pixels in [0, 1]"),
    stepSize: ratio({ min: 0 }).default(0.01).describe("length of a step in the norm"),
    steps: z.int().min(0).default(40).describe("number of steps"),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius and of a step"),
    randomStart: z.boolean().default(true).describe("start from a random point of the ball"),
    restarts: z.int().min(1).default(1).describe("runs, of which each image's worst case is kept"),
    loss: z
      .enum(Object.keys(losses) as [LossName, ...LossName[]])
      .default("cross-entropy")
      .describe("what the steps increase"),
    labels: labelSource,
    selectionDraws,
  })
  .refine(({ norm, epsilon }) => norm !== "linf" || epsilon <= 1, {
    path: ["epsilon"],
    message: "an l-infinity radius is at most 1: gray levels are written as in 8/255",
  });

/**
 * Projected gradient descent: steps up the loss, each projected to the ball and to [0, 1]; the last iterate of a run
 * counts (Madry et al. 2018). With 0 steps, the random start alone.
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
    const run =
      (restart: number): Proposal =>
      (seen, some, theirs) =>
        projectedGradientAscent(given, seen, some, (logits) => losses[given.loss](logits, theirs), restart);
    // Without any randomness all runs are the same.
    const restarts = given.randomStart || target.randomized ? given.restarts : 1;
    const runs = Array.from({ length: restarts }, (_, restart) => run(restart));
    return worstProposal(runs, target, images, avoided, given.selectionDraws);
  },
});
