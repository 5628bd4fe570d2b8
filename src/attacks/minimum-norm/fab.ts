import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Loss } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { type AttackTraits, defineAttack } from "../contract/attack.js";
import {
  mostSteps,
  type Norm,
  normOption,
  radius,
  radiusFitsNorm,
  stepsOption,
} from "../contract/options.js";
import { clearlyWrong } from "../contract/passes.js";
import type { Part } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";
import { perImage, perturbationLengths } from "../geometry/norms.js";
import { Closest, type ClosestRun, closestOf } from "./closest.js";
import { projectionSteps } from "./fab-projection.js";
import { type Boundary, nearestBoundary } from "./linear-boundary.js";

/** Options that FAB and its targeted form share. */
export const fabOptions = {
  norm: normOption.describe("norm that is minimized"),
  epsilon: radius
    .or(z.literal("none"))
    .default("none")
    .describe("radius beyond which an image is given back as it was; none: the closest success, however far"),
  steps: stepsOption(100).describe("number of steps of a run"),
  restarts: z.int().min(1).max(mostSteps).default(1).describe("runs, all but the first from a random start"),
  alphaMax: ratio({ min: 0, max: 1 })
    .default(0.1)
    .describe("largest weight of the step from the image itself"),
  eta: ratio({ min: 1, max: 10 }).default(1.05).describe("factor by which a step goes beyond the boundary"),
  beta: ratio({ min: 0, max: 1 })
    .default(0.9)
    .describe("share of its distance that a misclassified point keeps"),
};

const options = z.strictObject(fabOptions).refine(...radiusFitsNorm);
export type FabOptions = z.output<typeof options>;

export const fabTraits = ({ norm, epsilon, restarts }: FabOptions): AttackTraits => ({
  norm,
  radius: epsilon === "none" ? undefined : epsilon,
  usesGradients: true,
  randomized: restarts > 1,
});

/**
 * Fast adaptive boundary attack: walks along the nearest linearized boundary, ever closer to the image (Croce
 * and Hein 2020). Every step takes a pass backward for each class; `fab-t` takes one. Returns the closest
 * success within `epsilon`, or the image itself.
 */
export const fab = defineAttack("fab", {
  summary: "closest misclassified image, walking along the nearest boundary",
  options,
  traits: fabTraits,
  run: (options, victim, images, labels) =>
    fabAlong(options, victim, images, labels, [
      (part) => (points) => nearestBoundary(part.victim, points, part.labels, options.norm),
    ]),
});

/** Linearizes the boundary of a part of all images at points (M, C, H, W). */
type Linearize = (points: Tensor) => Boundary;

/**
 * Walks along boundary after boundary, each `restarts` times, keeping each image's closest success. With an
 * epsilon, images with a success inside it are spared the runs that follow.
 */
export function fabAlong(
  options: FabOptions,
  victim: Victim,
  images: Tensor,
  labels: Tensor,
  boundaries: readonly ((part: Part) => Linearize)[],
): Tensor {
  const { epsilon, restarts } = options;
  const enough = epsilon === "none" ? 0 : epsilon;
  const runs = boundaries.flatMap((boundary, k) =>
    Array.from(
      { length: restarts },
      (_, restart): ClosestRun =>
        (part, distances) => {
          const points = part.images.clone();
          if (restart > 0) {
            scope(() => points.copy_(randomStart(options, part, distances, k * restarts + restart)));
          }
          return walk(options, boundary(part), part, points);
        },
    ),
  );
  const closest = closestOf(runs, victim, images, { labels }, enough);
  return epsilon === "none"
    ? closest.images
    : ops.where(perImage(closest.distances.le(enough)), closest.images, images);
}

/**
 * Walks once from `points`, which it moves (Croce and Hein 2020, algorithm 1). Each step projects both the
 * point and the image to the linearized boundary, and goes beyond it by the factor eta. Then it takes a mean
 * of the two, biased toward the image. A point that is misclassified then goes back toward its image by the
 * factor beta.
 */
// paper: ends with a search on the line to the image, of 3 more passes; auto-attack has left it out.
function walk(
  { norm, steps, alphaMax, eta, beta }: FabOptions,
  linearize: Linearize,
  { victim, images, labels }: Part,
  points: Tensor,
): Closest {
  const closest = new Closest(images);
  const origins = images.flatten(1);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const { lead, normal } = linearize(points);
      const places = points.flatten(1);
      const plane = { normals: normal, offsets: normal.mul(places).sumDim([1]).sub(lead) };
      const fromPoint = projectionSteps(norm, places, plane).reshape(points.shape);
      const fromImage = projectionSteps(norm, origins, plane).reshape(points.shape);
      const near = perturbationLengths(fromPoint, norm).clamp(1e-8);
      const far = perturbationLengths(fromImage, norm).clamp(1e-8);
      const alpha = perImage(near.div(near.add(far)).clamp(undefined, alphaMax));
      const biased = images.add(fromImage, eta).mul(alpha);
      points.add_(fromPoint, eta);
      points.mul_(alpha.neg().add(1));
      points.add_(biased);
      points.clamp_(0, 1);
      const verdict = victim.mostly(points, labels, crossed);
      const moves = points.sub(images);
      closest.keep(points, perturbationLengths(moves, norm), verdict.select(1, 1));
      const change = verdict
        .select(1, 0)
        .to("float32")
        .mul(beta - 1);
      points.add_(moves.mul(perImage(change)));
    });
  }
  return closest;
}

/**
 * Tells, bool (N, 2), where a boundary is crossed, which turns the walk, and where beyond rounding, which is
 * a success.
 */
const crossed: Loss = (logits, labels) =>
  ops.stack([logits.argmax(1).ne(labels), clearlyWrong(logits, labels)], 1);

/** Radii within which random starts lie where neither option nor success gives them: those of auto-attack. */
const startRadius: Readonly<Record<Norm, number>> = { linf: 0.3, l2: 1, l1: 5 };

/**
 * Points in random directions, at half of the distance of the closest success or of the radius, if that is
 * less.
 */
function randomStart(
  { norm, epsilon }: FabOptions,
  { victim, images }: Part,
  distances: Tensor,
  stream: number,
) {
  const radii = distances.clamp(undefined, epsilon === "none" ? startRadius[norm] : epsilon);
  const shape = images.shape.slice(1);
  const direction = norm === "linf" ? victim.uniform(shape, -1, 1, stream) : victim.normal(shape, stream);
  const factors = radii.div(perturbationLengths(direction, norm)).mul(0.5);
  return images.add(direction.mul(perImage(factors))).clamp(0, 1);
}
