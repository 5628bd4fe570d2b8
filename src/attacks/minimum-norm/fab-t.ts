import * as z from "zod";
import { defineAttack } from "../contract/attack.js";
import { likeliestOthers, mostSteps, radiusFitsNorm } from "../contract/options.js";
import type { Part } from "../contract/selection.js";
import { fabAlong, fabOptions, fabTraits } from "./fab.js";
import { boundaryTo } from "./linear-boundary.js";

/**
 * FAB along the boundary to one other class at a time (Croce and Hein 2020, section 4; auto-attack's FAB-T).
 * A step takes one pass backward, whatever the number of classes.
 */
export const fabT = defineAttack("fab-t", {
  summary: "closest misclassified image, walking along the boundary to one class after another",
  options: z
    .strictObject({
      ...fabOptions,
      targets: z
        .int()
        .min(1)
        .max(mostSteps)
        .default(9)
        .describe("classes tried, those of the largest logits first"),
    })
    .refine(...radiusFitsNorm),
  traits: fabTraits,
  run(options, victim, images, labels) {
    const count = Math.min(options.targets, victim.classes - 1);
    const order = likeliestOthers(victim, images, labels, count);
    const boundaries = Array.from({ length: count }, (_, k) => (part: Part) => {
      const classes = part.rows(order.select(1, k));
      return boundaryTo(classes, part.victim, part.labels);
    });
    return fabAlong(options, victim, images, labels, boundaries);
  },
});
