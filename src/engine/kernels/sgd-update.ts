import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { arePlainFloats } from "./plain-floats.js";

/** Tells whether `sgdUpdate` takes such parameters: float32 on the CPU. */
export function sgdUpdateSupports(parameters: readonly Tensor[]): boolean {
  return arePlainFloats(parameters);
}

/**
 * One update of stochastic gradient descent in one pass over memory, in place: d = g + decay * p; v =
 * momentum * v + d; p += factor * v, or factor * (d + momentum * v) with Nesterov; p += factor * d without
 * velocities.
 *
 * Parameters, gradients of their shapes, and none or as many velocities that lie in memory as the parameters
 * do, all float32 on the CPU; `factor` has one element. A TensorError says what else was given; then nothing
 * has changed.
 */
export function sgdUpdate(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  velocities: readonly Tensor[],
  factor: Tensor,
  { momentum, weightDecay, nesterov }: { momentum: number; weightDecay: number; nesterov: boolean },
): void {
  const handles = (tensors: readonly Tensor[]) => tensors.map(({ handle }) => handle);
  native().sgdUpdate(
    handles(parameters),
    handles(gradients),
    handles(velocities),
    factor.handle,
    momentum,
    weightDecay,
    nesterov,
  );
}
