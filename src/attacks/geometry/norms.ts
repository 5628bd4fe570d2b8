import * as z from "zod";
import { operators as ops, scope, signStep_, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/ratio.js";
import type { Norm } from "../contract/attack.js";
import type { Target } from "../contract/target.js";
import { type Ball, l1Ball, l2Ball, l2Norms, linfBall } from "./ball.js";

/** What an attack needs to know of a norm, for images, gradients and perturbations (N, C, H, W). */
export interface NormGeometry {
  /** The points of [0, 1] within a radius of the images. */
  ball(images: Tensor, radius: number): Ball;
  /** Turns gradients, in place, into steepest-ascent steps of length 1 from the candidates. */
  step_(gradient: Tensor, candidates: Tensor): void;
  /** Moves candidates, in place, a length along the steps of `step_`, and to the nearest point of the ball; overwrites the gradient. */
  ascend_(candidates: Tensor, gradient: Tensor, length: number, ball: Ball): void;
  /** A random perturbation from all over the ball; runs of different `restart` have unrelated ones. */
  inside(target: Target, shape: readonly number[], radius: number, restart: number): Tensor;
  /** A random perturbation that, projected, lies on the ball's surface but for the pixel range. */
  surface(target: Target, shape: readonly number[], radius: number, restart: number): Tensor;
}

/** The pixels that one l1 step of SLIDE moves, as a share of all. */
const l1Share = 0.01;

/** Every norm by its name, so that no attack asks which one it has. */
export const norms: Readonly<Record<Norm, NormGeometry>> = {
  linf: {
    ball: linfBall,
    step_: (gradient) => gradient.sign_(),
    ascend_: signStep_,
    inside: (target, shape, radius, restart) => target.uniform(shape, -radius, radius, restart),
    surface(target, shape, radius, restart) {
      const noise = target.uniform(shape, -1, 1, restart);
      return noise.mul(radius).div(largestPixels(noise));
    },
  },
  l2: {
    ball: l2Ball,
    step_: l2Step_,
    ascend_: stepThenProject(l2Step_),
    inside: (target, shape, radius, restart) => {
      const direction = target.normal(shape, 2 * restart);
      return direction.mul(randomRadii(target, radius, restart).div(l2Norms(direction)));
    },
    surface(target, shape, radius, restart) {
      const direction = target.normal(shape, 2 * restart);
      return direction.mul(radius).div(l2Norms(direction));
    },
  },
  l1: {
    ball: l1Ball,
    step_: l1Step_,
    ascend_: stepThenProject(l1Step_),
    inside(target, shape, radius, restart) {
      // Signed exponentials point in any direction of l1 alike; a zero under the logarithm is far below one in 2^24.
      const uniform = target.uniform(shape, -1, 1, 2 * restart);
      const direction = uniform.abs().neg().add(1).clamp(1e-8).log().mul(uniform.sign());
      return direction.mul(randomRadii(target, radius, restart).div(absoluteSums(direction)));
    },
    /** A normal point, which the projection leaves few pixels of (Croce and Hein 2021, algorithm 1). */
    surface: (target, shape, _, restart) => target.normal(shape, 2 * restart),
  },
};

/** SLIDE's: signs of the largest 1 % of the gradient, where a pixel can go there (Tramer and Boneh 2019, section 3). */
function l1Step_(gradient: Tensor, candidates: Tensor): void {
  const up = gradient.gt(0);
  const free = ops.where(up, candidates.lt(1), candidates.gt(0));
  gradient.mul_(free);
  const pixels = gradient.shape.slice(1).reduce((product, side) => product * side, 1);
  sparseSign_(gradient, Math.ceil(l1Share * pixels));
}

function l2Step_(gradient: Tensor): void {
  gradient.div_(l2Norms(gradient).add(1e-10));
}

function stepThenProject(step_: NormGeometry["step_"]): NormGeometry["ascend_"] {
  return (candidates, gradient, length, ball) => {
    step_(gradient, candidates);
    candidates.add_(gradient, length);
    ball.project_(candidates);
  };
}

/** Options of an attack in any norm. */
export const normOption = z.enum(["linf", "l2", "l1"]).default("linf").describe("norm of the radius and of a step");
export const radiusOption = (value: number) =>
  ratio({ min: 0 }).default(value).describe("radius in the norm, pixels in [0, 1]");

/** For `.refine(...radiusFitsNorm)`: more than 1 is an l-infinity radius in gray levels, written without its /255. */
export const radiusFitsNorm: [
  (given: { norm: Norm; epsilon: number }) => boolean,
  { path: string[]; message: string },
] = [
  ({ norm, epsilon }) => norm !== "linf" || epsilon <= 1,
  { path: ["epsilon"], message: "an l-infinity radius is at most 1: gray levels are written as in 8/255" },
];

/**
 * Turns gradients, in place, into l1 steps of length 1: equal steps along the signs of the largest elements, `count` of
 * each image, or (N, 1) int64 of them.
 */
export function sparseSign_(gradient: Tensor, count: number | Tensor): void {
  scope(() => {
    const sizes = gradient.abs();
    const [ascending] = sizes.flatten(1).sort(1);
    const pixels = ascending.shape[1]!;
    const place =
      typeof count === "number" ? ascending.slice(1, 0, 1).fullLike(pixels - count, "int64") : count.neg().add(pixels);
    const threshold = ascending.gather(1, place).reshape([-1, 1, 1, 1]);
    gradient.mul_(sizes.ge(threshold));
    gradient.sign_();
    gradient.div_(absoluteSums(gradient).clamp(1));
  });
}

function randomRadii(target: Target, radius: number, restart: number): Tensor {
  return target.uniform([1, 1, 1], 0, radius, 2 * restart + 1);
}

function largestPixels(perturbations: Tensor): Tensor {
  return perturbations.abs().amax([1, 2, 3], true);
}

function absoluteSums(perturbations: Tensor): Tensor {
  return perturbations.abs().sumDim([1, 2, 3], true);
}
