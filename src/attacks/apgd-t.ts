import * as z from "zod";
import { autoPgdShape } from "./apgd.js";
import { type Aim, aimOf, likeliestOthers, lossOption } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { type Proposal, worstProposal } from "./contract/selection.js";
import { radiusFitsNorm } from "./geometry/norms.js";
import { autoPgd } from "./search/auto-pgd.js";

/**
 * Targeted Auto-PGD: a run towards each of the likeliest other classes, the worst case of which counts (Croce and Hein
 * 2020, section 4 and algorithm 1). A network of fewer classes has fewer runs.
 */
export const apgdT = defineAttack("apgd-t", {
  summary: "APGD towards each of the likeliest other classes in turn",
  options: z
    .strictObject({
      ...autoPgdShape,
      loss: lossOption.default("dlr"),
      targets: z.int().min(1).default(9).describe("classes to lead to, the likeliest first"),
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon, start }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: start === "random",
  }),
  run(given, target, images, labels) {
    const targets = Math.min(given.targets, target.classes - 1);
    const likeliest = likeliestOthers(target, images, labels, targets);
    // Without any randomness all runs to a class are the same.
    const restarts = given.start === "random" || target.randomized ? given.restarts : 1;
    const run = (number: number): Proposal => {
      const classes = likeliest.select(1, Math.floor(number / restarts));
      const aim: Aim = { loss: given.loss, labels, classes };
      return (seen, some, _, rows) => autoPgd(given, seen, some, aimOf(aim, rows), number);
    };
    const runs = Array.from({ length: targets * restarts }, (_, number) => run(number));
    return worstProposal(runs, target, images, labels, given.selectionDraws);
  },
});
