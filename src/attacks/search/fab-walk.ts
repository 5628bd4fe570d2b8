import { scope, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/attack.js";
import type { Target } from "../contract/target.js";
import { projectionSteps } from "../geometry/hyperplane-projection.js";
import type { Boundary } from "../geometry/linearization.js";
import { perImage, perturbationLengths } from "../geometry/perturbation-length.js";
import type { Closest } from "./closest.js";

/** How FAB walks along a boundary. */
export interface WalkOptions {
  readonly norm: Norm;
  readonly steps: number;
  readonly alphaMax: number;
  readonly eta: number;
  readonly beta: number;
}

/** The boundaries of images (N) linearized at points (N, C, H, W). */
export type Linearize = (target: Target, points: Tensor, labels: Tensor) => Boundary;

/**
 * One run of FAB from `points`, which it moves, keeping what it finds (Croce and Hein 2020, algorithm 1). Each step
 * projects both the point and the image to the linearized boundary, goes beyond it by the factor `eta`, and takes a mean of
 * the two biased toward the image; a point that is misclassified then goes back toward its image by the factor `beta`.
 */
// paper: ends with a search on the line to the image, of 3 more passes; auto-attack has left it out.
export function walkAlongBoundary(
  { norm, steps, alphaMax, eta, beta }: WalkOptions,
  linearize: Linearize,
  target: Target,
  images: Tensor,
  labels: Tensor,
  points: Tensor,
  closest: Closest,
): void {
  const origins = images.flatten(1);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const { lead, normal } = linearize(target, points, labels);
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
      const success = target.fooled(points, labels);
      const moved = points.sub(images);
      closest.keep(points, perturbationLengths(moved, norm), success);
      const factors = perImage(success)
        .to("float32")
        .mul(beta - 1);
      points.add_(moved.mul(factors));
    });
  }
}
