import { native } from "../native.js";
import { Tensor } from "../tensor.js";

/** Tensors of a batch normalization, all of shape (channels). */
export interface BatchNormTensors {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly running_mean: Tensor;
  readonly running_var: Tensor;
}

/**
 * Batch normalization in training over the images of all ranks, (N, C, ...): mean, variance and
 * gradient are those of one process with the whole batch, to rounding. Moves the running statistics. Sums of
 * each channel cross between the ranks once forward and once back, in float64.
 */
export function sharedBatchNorm(
  input: Tensor,
  { weight, bias, running_mean, running_var }: BatchNormTensors,
  { momentum, epsilon }: { momentum: number; epsilon: number },
): Tensor {
  return new Tensor(
    native().sharedBatchNorm(
      input.handle,
      weight.handle,
      bias.handle,
      running_mean.handle,
      running_var.handle,
      momentum,
      epsilon,
    ),
  );
}
