import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { mostSteps, type Norm, stepsOption } from "../contract/options.js";
import { rowsOf } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";
import { perImage } from "../geometry/norms.js";
import { type Boundary, dualLengths, nearestBoundary } from "./linear-boundary.js";

/** Distance beyond each linearized boundary, as in the authors' code: a point on it is no success. */
const beyond = 1e-4;

const options = z.strictObject({
  norm: z.enum(["l2", "linf"]).default("l2").describe("norm that is minimized"),
  steps: stepsOption(50).describe("largest number of steps"),
  overshoot: ratio({ min: 0, max: 1 })
    .default(0.02)
    .describe("share by which the perturbation is lengthened"),
  candidates: z
    .int()
    .min(1)
    .max(mostSteps)
    .default(9)
    .describe("other classes that are looked at, those with the largest logits at the image"),
});
type Options = z.output<typeof options>;

/**
 * DeepFool: steps to the nearest linearized boundary until the class changes (Moosavi-Dezfooli, Fawzi and
 * Frossard 2016, algorithm 2; equations 11 and 12 for l-infinity). Returns image + (1 + overshoot) *
 * perturbation, clipped to [0, 1], where the class changed, or else the last point.
 *
 * A step takes a pass backward for each candidate and one for the label. A randomized classifier's steps
 * follow one draw each; its class has changed when most draws say so.
 */
// paper: looks at every class, the authors' code at ten: the label's, and those with the largest logits. Adds
// the overshoot at the end, and knows no pixel range. As in the authors' code, each gradient is taken beyond
// it.
export const deepfool = defineAttack("deepfool", {
  summary: "steps to the nearest linearized boundary until the class changes",
  options,
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: true, randomized: false }),
  run(options, victim, images, labels) {
    const done = victim.fooled(images, labels);
    const classes = candidatesOf(victim, images, labels, options.candidates);
    const state = {
      images,
      labels,
      classes,
      points: images.clone(),
      perturbations: images.zerosLike(),
      done,
    };
    approach(options, victim, state, 0);
    return state.points;
  },
});

/** The label of each image, then the other classes by falling logits, as many as are wanted: int64 (N, K). */
function candidatesOf(victim: Victim, images: Tensor, labels: Tensor, count: number): Tensor {
  return scope(() => {
    const own = labels.unsqueeze(1);
    const others = victim.logits(images).scatterValue(1, own, Number.NEGATIVE_INFINITY);
    const [, classes] = others.topk(Math.min(count, victim.classes - 1), 1);
    return ops.cat([own, classes], 1);
  });
}

/**
 * Points of images on their way, with the perturbations that led there and whether they arrived, bool (N).
 */
type State = Readonly<Record<"images" | "labels" | "classes" | "points" | "perturbations" | "done", Tensor>>;

/** Takes steps `first` and on; changes `state` in place. An image that arrived stays where it is. */
function approach(options: Options, victim: Victim, state: State, first: number): void {
  const { images, labels, classes, points, perturbations, done } = state;
  const { norm, steps, overshoot } = options;
  for (let step = first; step < steps; step++) {
    const left = scope(() => done.logicalNot().nonzero().flatten());
    if (left.size === 0) return;
    if (left.size <= 0.875 * labels.size) {
      scope(() => {
        const part = rowsOf(state, left);
        approach(options, victim.rows(left), part, step);
        points.indexCopy_(0, left, part.points);
      });
      left.dispose();
      return;
    }
    left.dispose();
    scope(() => {
      const boundary = nearestBoundary(victim, points, labels, norm, classes);
      perturbations.add_(stepAcross(boundary, norm).reshape(points.shape));
      const next = images.add(perturbations, 1 + overshoot).clamp(0, 1);
      points.copy_(ops.where(perImage(done), points, next));
      done.copy_(victim.fooled(points, labels).logicalOr(done));
    });
  }
}

/** Shortest steps (N, D) across linear boundaries; they raise the lead, whichever side a draw is on. */
function stepAcross(boundary: Boundary, norm: Norm): Tensor {
  const { lead, normal } = boundary;
  const lengths = dualLengths(boundary, norm);
  const distances = lead.abs().div(lengths).add(beyond).unsqueeze(1);
  return norm === "linf" ? normal.sign().mul(distances) : normal.mul(distances.div(lengths.unsqueeze(1)));
}
