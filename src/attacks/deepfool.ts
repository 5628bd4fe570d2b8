import * as z from "zod";
import { scope, type Tensor } from "../engine/index.js";
import { ratio } from "../options/ratio.js";
import { defineAttack, type Norm } from "./contract/attack.js";
import { type Boundary, nearestBoundary } from "./geometry/linearization.js";
import { dualNorm, perImage, vectorLengths } from "./geometry/perturbation-length.js";

/**
 * DeepFool: steps to the nearest linearized boundary until the class changes (Moosavi-Dezfooli, Fawzi and Frossard 2016,
 * algorithm 2; equations 11 and 12 for l-infinity). Returns the point where it changed, or the last.
 *
 * A randomized network's steps follow one draw each; the class has changed when most draws say so.
 */
// paper: overshoots once, at the end, and knows no pixel range; here, as in later implementations, every step does both.
export const deepfool = defineAttack("deepfool", {
  summary: "steps to the nearest linearized boundary until the class changes",
  options: z.strictObject({
    norm: z.enum(["l2", "linf"]).default("l2").describe("norm that is minimized"),
    steps: z.int().min(1).default(50).describe("most steps taken"),
    overshoot: ratio({ min: 0 }).default(0.02).describe("share of a step by which it goes beyond the boundary"),
  }),
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: true, randomized: false }),
  run({ norm, steps, overshoot }, target, images, labels) {
    const points = images.clone();
    for (let step = 0; step < steps; step++) {
      const finished = scope(() => {
        const reached = target.fooled(points, labels);
        if (reached.all().item() === 1) return true;
        const move = stepAcross(nearestBoundary(target, points, labels, norm), norm).reshape(points.shape);
        // An image that got across stays where it is, so that its result does not depend on its batch.
        points.add_(move.mul(perImage(reached.logicalNot())), 1 + overshoot);
        points.clamp_(0, 1);
        return false;
      });
      if (finished) break;
    }
    return points;
  },
});

/** The shortest steps (N, D) to linear boundaries; in the direction that raises the lead, whichever side a draw is on. */
function stepAcross({ lead, normal }: Boundary, norm: Norm): Tensor {
  const length = vectorLengths(normal, dualNorm[norm]).clamp(1e-12);
  const distance = lead.abs().div(length).unsqueeze(1);
  if (norm === "linf") return normal.sign().mul(distance);
  return normal.mul(distance.div(length.unsqueeze(1)));
}
