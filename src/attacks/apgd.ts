import * as z from "zod";
import { lossOption } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { type Proposal, selectionDraws, worstProposal } from "./contract/selection.js";
import { normOption, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { autoPgd } from "./search/auto-pgd.js";

/** The options that APGD and its targeted form share. */
export const autoPgdShape = {
  epsilon: radiusOption(0.3),
  steps: z.int().min(1).default(100).describe("number of steps of a run"),
  norm: normOption,
  start: z
    .enum(["random", "image"])
    .default("random")
    .describe("start on the ball's surface, or from the image itself"),
  restarts: z.int().min(1).default(1).describe("runs, of which each image's worst case is kept"),
  radii: z
    .enum(["auto", "constant", "shrinking"])
    .default("auto")
    .describe("radius over a run: epsilon, or shrinking from 3 times epsilon; auto shrinks in l1"),
  stopWhenFooled: z
    .boolean()
    .default(false)
    .describe("take a deterministic network's first error, not its worst: far fewer passes"),
  selectionDraws,
};

/**
 * Auto-PGD: steps that adapt to how the loss goes, from a random start (Croce and Hein 2020, algorithm 1; in l1, Croce
 * and Hein 2021, algorithm 2). The candidate of highest loss counts, a misclassified one first.
 */
export const apgd = defineAttack("apgd", {
  summary: "PGD that adapts its steps to the loss, and keeps the highest",
  options: z.strictObject({ ...autoPgdShape, loss: lossOption }).refine(...radiusFitsNorm),
  traits: ({ norm, epsilon, start }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: start === "random",
  }),
  run(given, target, images, labels) {
    const run =
      (restart: number): Proposal =>
      (seen, some, theirs) =>
        autoPgd(given, seen, some, { loss: given.loss, labels: theirs }, restart);
    // Without any randomness all runs are the same.
    const restarts = given.start === "random" || target.randomized ? given.restarts : 1;
    const runs = Array.from({ length: restarts }, (_, restart) => run(restart));
    return worstProposal(runs, target, images, labels, given.selectionDraws);
  },
});
