import { native } from "../native.js";
import { scope } from "../scope.js";
import { Tensor } from "../tensor.js";
import { arePlainFloats } from "./plain-floats.js";

/** Points within a radius of images in every pixel. */
export interface LinfBall {
  readonly images: Tensor;
  readonly radius: number;
}

/**
 * points + length * sign(gradient), cut to an l-infinity ball where one is given, and to [0, 1]; a new
 * tensor, without gradients.
 *
 * Points, gradient and the ball's images of one shape and type, on one device; a TensorError says what else
 * was given. For float32 on the CPU one pass over memory, with the bits of the operators one by one.
 */
export function signStep(points: Tensor, gradient: Tensor, length: number, ball?: LinfBall): Tensor {
  if (!arePlainFloats([points, gradient])) return stepByOperators(points, gradient, length, ball);
  return new Tensor(native().signStep(...handles(points, gradient), length, ...ballOf(ball)));
}

/** `signStep` that moves the points in place. */
export function signStep_(points: Tensor, gradient: Tensor, length: number, ball?: LinfBall): void {
  if (arePlainFloats([points, gradient]))
    native().signStep_(...handles(points, gradient), length, ...ballOf(ball));
  else scope(() => points.copy_(stepByOperators(points, gradient, length, ball)));
}

const handles = (points: Tensor, gradient: Tensor) => [points.handle, gradient.handle] as const;
const ballOf = (ball?: LinfBall) => [ball?.images.handle ?? null, ball?.radius ?? 0] as const;

function stepByOperators(points: Tensor, gradient: Tensor, length: number, ball?: LinfBall): Tensor {
  return scope(() => {
    const moved = points.add(gradient.sign(), length);
    if (ball !== undefined) moved.clampTensor_(ball.images.sub(ball.radius), ball.images.add(ball.radius));
    moved.clamp_(0, 1);
    return moved;
  });
}
