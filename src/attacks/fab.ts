import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { ratio } from "../options/ratio.js";
import { type AttackTraits, defineAttack, type Norm } from "./contract/attack.js";
import type { Target } from "./contract/target.js";
import { nearestBoundary } from "./geometry/linearization.js";
import { perImage, perturbationLengths } from "./geometry/perturbation-length.js";
import { Closest } from "./search/closest.js";
import { type Linearize, walkAlongBoundary } from "./search/fab-walk.js";

export const fabOptions = {
  norm: z.enum(["linf", "l2", "l1"]).default("linf").describe("norm that is minimized"),
  epsilon: ratio({ min: 0 })
    .or(z.literal("none"))
    .default("none")
    .describe("radius beyond which an image is given back as it was; none: the closest success, however far"),
  steps: z.int().min(1).default(100).describe("number of steps of a run"),
  restarts: z.int().min(1).default(1).describe("runs, all but the first from a random start"),
  alphaMax: ratio({ min: 0, max: 1 }).default(0.1).describe("largest weight of the step from the image itself"),
  eta: ratio({ min: 1 }).default(1.05).describe("factor by which a step goes beyond the boundary"),
  beta: ratio({ min: 0, max: 1 }).default(0.9).describe("share of its distance that a misclassified point keeps"),
};

const schema = z.strictObject(fabOptions);
export type FabOptions = z.output<typeof schema>;

export const fabTraits = ({ norm, epsilon, restarts }: FabOptions): AttackTraits => ({
  norm,
  radius: epsilon === "none" ? undefined : epsilon,
  usesGradients: true,
  randomized: restarts > 1,
});

/**
 * Fast adaptive boundary attack: walks along the nearest linearized boundary, ever closer to the image (Croce and Hein
 * 2020). Every step takes one pass backward for each class; `fab-t` takes one. Returns the closest success within
 * `epsilon`, or the image as it was.
 */
export const fab = defineAttack("fab", {
  summary: "closest misclassified image, walking along the nearest boundary",
  options: schema,
  traits: fabTraits,
  run: (given, target, images, labels) =>
    closestOfRuns(given, target, images, labels, [
      () => (seen, points, theirs) => nearestBoundary(seen, points, theirs, given.norm),
    ]),
});

/** The radii within which random starts lie where neither option nor success says so: those of auto-attack. */
const startRadius: Readonly<Record<Norm, number>> = { linf: 0.3, l2: 1, l1: 5 };

/**
 * Walks along boundary after boundary, each `restarts` times, keeping each image's closest success. With an epsilon,
 * images with a success inside it are spared the runs that follow. A boundary is made with `rows`, which takes the rows of
 * those images that are left.
 */
export function closestOfRuns(
  options: FabOptions,
  target: Target,
  images: Tensor,
  labels: Tensor,
  boundaries: readonly ((rows: (all: Tensor) => Tensor) => Linearize)[],
): Tensor {
  const { norm, restarts } = options;
  const enough = options.epsilon === "none" ? 0 : options.epsilon;
  const closest = new Closest(images);
  closest.keep(images, labels.to("float32").zerosLike(), target.fooled(images, labels));
  const runs = boundaries.flatMap((boundary) =>
    Array.from({ length: restarts }, (_, restart) => ({ boundary, restart })),
  );
  runs.forEach(({ boundary, restart }, run) => {
    scope(() => {
      const left = closest.distances.gt(enough).nonzero().flatten();
      if (left.size === 0) return;
      const rows = (all: Tensor) => all.indexSelect(0, left);
      const [seen, some, theirs] = [target.rows(left), rows(images), rows(labels)];
      const found = closest.rows(left);
      const radii = found.distances.clamp(undefined, enough || startRadius[norm]);
      const points = restart === 0 ? some.clone() : randomStart(norm, seen, some, radii, run);
      walkAlongBoundary(options, boundary(rows), seen, some, theirs, points, found);
      closest.replaceRows(left, found);
    });
  });
  if (options.epsilon === "none") return closest.images;
  return ops.where(perImage(closest.distances.le(enough)), closest.images, images);
}

/** Points at half of a radius (N) from the images, in random directions. */
function randomStart(norm: Norm, target: Target, images: Tensor, radii: Tensor, stream: number): Tensor {
  const shape = images.shape.slice(1);
  const direction = norm === "linf" ? target.uniform(shape, -1, 1, stream) : target.normal(shape, stream);
  const factors = radii.div(perturbationLengths(direction, norm)).mul(0.5);
  return images.add(direction.mul(perImage(factors))).clamp(0, 1);
}
