import { sizeOf } from "../../base/index.js";
import { operators as ops, scope, signStep_, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/options.js";

/** Source of noise for each image, such as a victim; `stream` tells unrelated draws apart. */
export interface NoiseSource {
  uniform(elementShape: readonly number[], low: number, high: number, stream: number): Tensor;
  normal(elementShape: readonly number[], stream: number): Tensor;
}

/** Ball around images, cut by the pixel range [0, 1]. */
export interface Ball {
  readonly images: Tensor;
  readonly radius: number;
  /** Moves images (N, C, H, W) in place to the nearest point inside. */
  project_(candidates: Tensor): void;
}

/** Geometry of a norm, for images, gradients and perturbations (N, C, H, W). */
export interface NormGeometry {
  /** Points of [0, 1] within a radius of the images. */
  ball(images: Tensor, radius: number): Ball;
  /**
   * Turns gradients, in place, into steps of steepest ascent of length 1 from the candidates; zero stays
   * zero.
   */
  step_(gradient: Tensor, candidates: Tensor): void;
  /**
   * Moves candidates, in place, a length along `step_` and to the nearest point of the ball; overwrites the
   * gradient.
   */
  ascend_(candidates: Tensor, gradient: Tensor, length: number, ball: Ball): void;
  /** Random perturbation from all over the ball; runs of different `restart` have unrelated ones. */
  inside(noise: NoiseSource, shape: readonly number[], radius: number, restart: number): Tensor;
  /** Random perturbation that, projected, lies on the ball's surface but for the pixel range. */
  surface(noise: NoiseSource, shape: readonly number[], radius: number, restart: number): Tensor;
}

/** Share of all pixels that an l1 step of SLIDE moves. */
const l1Share = 0.01;

/** Every norm by its name, so that no attack asks which one it has. */
export const norms: Readonly<Record<Norm, NormGeometry>> = {
  linf: {
    /** A box, whose corners are computed once. */
    ball(images, radius) {
      const lower = images.sub(radius);
      lower.clamp_(0);
      const upper = images.add(radius);
      upper.clamp_(undefined, 1);
      return { images, radius, project_: (candidates) => candidates.clampTensor_(lower, upper) };
    },
    step_: (gradient) => gradient.sign_(),
    ascend_: signStep_,
    inside: (noise, shape, radius, restart) => noise.uniform(shape, -radius, radius, restart),
    surface(noise, shape, radius, restart) {
      const direction = noise.uniform(shape, -1, 1, restart);
      return direction.mul(radius).div(perImage(vectorLengths(direction.flatten(1), "linf")).clamp(tiniest));
    },
  },
  l2: {
    /** The ball, then the pixel range: cutting by the range brings images closer, so both hold. */
    ball: (images, radius) => ({
      images,
      radius,
      project_(candidates) {
        candidates.sub_(images);
        // A perturbation of zero has no direction to scale.
        const lengths = l2Norms(candidates).clamp(1e-12);
        candidates.mul_(lengths.fullLike(radius).div(lengths).clamp(undefined, 1));
        candidates.add_(images);
        candidates.clamp_(0, 1);
      },
    }),
    step_: toLength1_,
    ascend_: stepThenProject(toLength1_),
    inside(noise, shape, radius, restart) {
      const direction = noise.normal(shape, 2 * restart);
      return direction.mul(randomRadii(noise, radius, restart).div(l2Norms(direction).clamp(tiniest)));
    },
    surface(noise, shape, radius, restart) {
      const direction = noise.normal(shape, 2 * restart);
      return direction.mul(radius).div(l2Norms(direction).clamp(tiniest));
    },
  },
  l1: {
    /**
     * Ball and pixel range at once: the range taken after the ball would waste length that other pixels need.
     */
    ball: (images, radius) => ({
      images,
      radius,
      project_: (candidates) => scope(() => candidates.copy_(nearestInL1(images, candidates, radius))),
    }),
    step_: slideStep_,
    ascend_: stepThenProject(slideStep_),
    inside(noise, shape, radius, restart) {
      // Signed exponentials point in any direction of l1 alike; a zero under the logarithm is below one in
      // 2^24.
      const uniform = noise.uniform(shape, -1, 1, 2 * restart);
      const direction = uniform.abs().neg().add(1).clamp(1e-8).log().mul(uniform.sign());
      return direction.mul(randomRadii(noise, radius, restart).div(l1Norms(direction).clamp(tiniest)));
    },
    /** A normal point, of which the projection leaves few pixels (Croce and Hein 2021, algorithm 1). */
    surface: (noise, shape, _, restart) => noise.normal(shape, 2 * restart),
  },
};

/**
 * SLIDE's step: signs of the largest 1 % of the gradient whose pixels have room (Tramer and Boneh 2019,
 * section 3).
 */
function slideStep_(gradient: Tensor, candidates: Tensor): void {
  gradient.mul_(ops.where(gradient.gt(0), candidates.lt(1), candidates.gt(0)));
  const pixels = sizeOf(gradient.shape.slice(1));
  sparseSign_(gradient, Math.ceil(l1Share * pixels));
}

function stepThenProject(step_: NormGeometry["step_"]): NormGeometry["ascend_"] {
  return (candidates, gradient, length, ball) => {
    step_(gradient, candidates);
    candidates.add_(gradient, length);
    ball.project_(candidates);
  };
}

/**
 * Turns gradients, in place, into l1 steps of length 1: equal steps along the signs of the largest elements.
 * `count` of each image's elements move, a number or int64 (N, 1).
 */
export function sparseSign_(gradient: Tensor, count: number | Tensor): void {
  scope(() => {
    const sizes = gradient.abs();
    const [ascending] = sizes.flatten(1).sort(1);
    const pixels = ascending.shape[1]!;
    const place =
      typeof count === "number"
        ? ascending.slice(1, 0, 1).fullLike(pixels - count, "int64")
        : count.neg().add(pixels);
    const threshold = ascending.gather(1, place).reshape([-1, 1, 1, 1]);
    gradient.mul_(sizes.ge(threshold));
    gradient.sign_();
    gradient.div_(l1Norms(gradient).clamp(1));
  });
}

function randomRadii(noise: NoiseSource, radius: number, restart: number): Tensor {
  return noise.uniform([1, 1, 1], 0, radius, 2 * restart + 1);
}

/**
 * Nearest points to candidates (N, C, H, W) in the l1 ball around images, cut by [0, 1] (Croce and Hein 2021,
 * section 3.1). `radius` is a number, or (N, 1).
 *
 * The nearest perturbation is sign(d) * min(max(|d| - t, 0), room), where d is the candidate's and room is
 * each pixel's way to black or white. Its length falls with t along straight pieces, whose ends are sorted to
 * find t exactly. Thousands of pixels are added up, hence float64.
 */
export function nearestInL1(images: Tensor, candidates: Tensor, radius: number | Tensor): Tensor {
  const from = images.flatten(1).to("float64");
  const moved = candidates.flatten(1).to("float64").sub(from);
  const size = moved.abs();
  const room = ops.where(moved.gt(0), from.neg().add(1), from);
  const held = size.minimum(room);
  const excess = held.sumDim([1], true).sub(radius);
  const threshold = ops.where(excess.gt(0), thresholdOf(size, held, excess), excess.zerosLike());
  const nearest = size.sub(threshold).clamp(0).minimum(room).mul(moved.sign()).add(from);
  return nearest.to("float32").reshape(candidates.shape);
}

/**
 * Thresholds t at which the lengths sum(min(max(size - t, 0), room)) fell by the excesses (N, 1), all
 * positive.
 */
function thresholdOf(size: Tensor, held: Tensor, excess: Tensor): Tensor {
  const pixels = size.shape[1]!;
  // A pixel shrinks with t from size - held on, until it is back at size.
  const [ends, order] = ops.cat([size.sub(held), size], 1).sort(1);
  const shrinking = order.lt(pixels).to("float64").mul(2).sub(1).cumsum(1);
  const gaps = ends.slice(1, 1).sub(ends.slice(1, 0, -1));
  const fallen = ops.cat([excess.zerosLike(), shrinking.slice(1, 0, -1).mul(gaps).cumsum(1)], 1);
  const piece = fallen.lt(excess).to("int64").sumDim([1], true).sub(1).clamp(0);
  const left = excess.sub(fallen.gather(1, piece));
  // Rounding may leave a trifle after the last piece, where nothing shrinks.
  return ends.gather(1, piece).add(left.div(shrinking.gather(1, piece).clamp(1)));
}

/** Least positive number of float32: a divisor in place of 0 that leaves zeros as they are. */
export const tiniest = 2 ** -149;

/** Divides vectors (N, C, H, W), in place, by their largest element; zero stays zero. */
function toLargest1_(vectors: Tensor): void {
  vectors.div_(perImage(perturbationLengths(vectors, "linf")).clamp(tiniest));
}

/**
 * Gives vectors (N, C, H, W), in place, l2 length 1; zero stays zero. The largest element becomes 1 first,
 * since squares below 1e-38 and above 1e38 are not in float32.
 */
export function toLength1_(vectors: Tensor): void {
  toLargest1_(vectors);
  vectors.div_(l2Norms(vectors).clamp(1));
}

/** Gives vectors (N, C, H, W), in place, elements of mean size 1; zero stays zero. */
export function toMeanSize1_(vectors: Tensor): void {
  toLargest1_(vectors);
  // The largest element alone makes the mean 1 over the number of elements.
  vectors.div_(perImage(vectors.abs().flatten(1).meanDim([1])).clamp(1e-30));
}

/** Euclidean lengths (N, 1, 1, 1) of images or perturbations. */
export function l2Norms(images: Tensor): Tensor {
  return ops.vectorNorm(images, 2, [1, 2, 3], true);
}

function l1Norms(perturbations: Tensor): Tensor {
  return perImage(perturbationLengths(perturbations, "l1"));
}

/** Lengths, in a norm, along the last axis of vectors (..., D). */
export function vectorLengths(vectors: Tensor, norm: Norm): Tensor {
  if (norm === "l2") return ops.vectorNorm(vectors, 2, [-1]);
  // libtorch's own norms of these kinds take several times as long.
  return norm === "linf" ? vectors.abs().amax([-1]) : vectors.abs().sumDim([-1]);
}

/** Length of each perturbation (N, C, H, W), (N). */
export function perturbationLengths(perturbations: Tensor, norm: Norm): Tensor {
  return vectorLengths(perturbations.flatten(1), norm);
}

/** Returns a number for each image (N) as a factor of its pixels, (N, 1, 1, 1). */
export function perImage(numbers: Tensor): Tensor {
  return numbers.reshape([-1, 1, 1, 1]);
}
