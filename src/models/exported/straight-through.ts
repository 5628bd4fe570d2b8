import { noGrad, Tensor } from "../../engine/index.js";

/**
 * Tensor with the exact values of one and the gradient of the other: bits are those of `exact`, also where
 * they are infinite or NaN. Both have the same shape; `exact` is converted to the type of `smooth`.
 */
export function straightThrough(smooth: Tensor, exact: Tensor): Tensor {
  if (smooth.shape.join() !== exact.shape.join()) {
    throw new RangeError(
      `a stand-in of shape [${smooth.shape.join(", ")}] for values of [${exact.shape.join(", ")}]`,
    );
  }
  // A copy whose gradient is the identity, and keeps nothing of its values: so they may be written over.
  const output = smooth.clone();
  noGrad(() => output.detach().copy_(exact));
  return output;
}

/** Tells floats, which have gradients. */
export function isFloat(value: unknown): value is Tensor {
  return value instanceof Tensor && /float/.test(value.dtype);
}
