import * as z from "zod";
import { defineAttack } from "../contract/attack.js";
import { classesFault, likeliestOthers, lossOption, mostSteps, radiusFitsNorm } from "../contract/options.js";
import { restartsOf, worstOf } from "../contract/selection.js";
import { apgdOptions, autoPgd } from "./apgd.js";

/**
 * Targeted Auto-PGD: a run towards each of the likeliest other classes, of which the worst case counts (Croce
 * and Hein 2020, section 4 and algorithm 1). A classifier of fewer classes has fewer runs.
 */
export const apgdT = defineAttack("apgd-t", {
  summary: "APGD towards each of the likeliest other classes in turn",
  options: z
    .strictObject({
      ...apgdOptions,
      loss: lossOption.default("dlr"),
      targets: z
        .int()
        .min(1)
        .max(mostSteps)
        .default(9)
        .describe("number of classes to aim for, the likeliest first"),
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon, start }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: start === "random",
  }),
  fault: ({ loss }, { classes }) => classesFault({ loss, target: "next" }, classes),
  run(options, victim, images, labels) {
    const targets = Math.min(options.targets, victim.classes - 1);
    const likeliest = likeliestOthers(victim, images, labels, targets);
    const random = options.start === "random" || victim.randomized;
    const runs = Array.from({ length: targets }, (_, k) =>
      restartsOf(options.restarts, random, (part, restart) => {
        const goal = { labels: part.labels, target: part.rows(likeliest.select(1, k)) };
        return autoPgd(options, part.victim, part.images, goal, k * options.restarts + restart);
      }),
    );
    return worstOf(runs.flat(), victim, images, { labels }, options.selectionDraws);
  },
});
