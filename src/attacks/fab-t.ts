import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { likeliestOthers } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { closestOfRuns, fabOptions, fabTraits } from "./fab.js";
import { boundaryTo } from "./geometry/linearization.js";

const options = z.strictObject({
  ...fabOptions,
  targets: z.int().min(1).default(9).describe("classes tried, those of the largest logits first"),
});

/**
 * FAB along the boundary to one other class at a time (Croce and Hein 2020, section 4; auto-attack's FAB-T): one pass
 * backward a step, whatever the number of classes.
 */
export const fabT = defineAttack("fab-t", {
  summary: "closest misclassified image, walking along the boundary to one class after another",
  options,
  traits: fabTraits,
  run(given, target, images, labels) {
    const count = Math.min(given.targets, target.classes - 1);
    const order = likeliestOthers(target, images, labels, count);
    const boundaries = Array.from({ length: count }, (_, k) => (rows: (all: Tensor) => Tensor) => {
      const classes = rows(order.select(1, k));
      return (...at: [typeof target, Tensor, Tensor]) => boundaryTo(classes, ...at);
    });
    return closestOfRuns(given, target, images, labels, boundaries);
  },
});
