import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/ratio.js";
import { nearestInL1 } from "./l1-projection.js";

/** The radius of an l-infinity ball as an option: more than 1 is a radius in gray levels, written without its /255. */
export const linfRadius = (value: number) =>
  ratio({ min: 0, max: 1 }).default(value).describe("l-infinity radius, pixels in [0, 1]");

/** Images whose perturbation is to stay in a ball and whose pixels in [0, 1]. */
export interface Ball {
  readonly images: Tensor;
  readonly radius: number;
  /** Moves images (N, C, H, W) in place to the nearest point inside. */
  project_(candidates: Tensor): void;
}

/** The l-infinity ball cut by the pixel range: a box, whose corners are computed once. */
export function linfBall(images: Tensor, radius: number): Ball {
  const lower = images.sub(radius);
  lower.clamp_(0);
  const upper = images.add(radius);
  upper.clamp_(undefined, 1);
  return { images, radius, project_: (candidates) => candidates.clampTensor_(lower, upper) };
}

/** The l2 ball, then the pixel range: cutting by the range brings the images closer, so both hold. */
export function l2Ball(images: Tensor, radius: number): Ball {
  return {
    images,
    radius,
    project_(candidates) {
      candidates.sub_(images);
      // A perturbation of zero has no direction to scale.
      const norms = l2Norms(candidates).clamp(1e-12);
      candidates.mul_(norms.fullLike(radius).div(norms).clamp(undefined, 1));
      candidates.add_(images);
      candidates.clamp_(0, 1);
    },
  };
}

/** The l1 ball and the pixel range at once: the range taken after the ball would waste length that other pixels need. */
export function l1Ball(images: Tensor, radius: number): Ball {
  return {
    images,
    radius,
    project_: (candidates) => scope(() => candidates.copy_(nearestInL1(images, candidates, radius))),
  };
}

/** Euclidean length of each image, (N, 1, 1, 1). */
export function l2Norms(images: Tensor): Tensor {
  return ops.vectorNorm(images, 2, [1, 2, 3], true);
}
