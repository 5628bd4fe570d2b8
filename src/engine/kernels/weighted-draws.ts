import { native } from "../native.js";
import * as ops from "../operators.js";
import { scope } from "../scope.js";
import { Tensor } from "../tensor.js";
import { arePlainFloats } from "./plain-floats.js";

/**
 * Tells which elements are drawn at least once, with replacement and by their weights: bool (N, E).
 *
 * `weights` (N, E) are at least 0, and `uniforms` (N, R) in [0, 1) make R draws from each row; both on one
 * device, else a TensorError. A draw takes the first element whose sum of weights, up to and with its own,
 * exceeds the uniform's share of the row's sum, in float64. For float32 on the CPU a draw looks at a few
 * elements, by a table of where to begin; else it is a binary search.
 *
 * @example
 * const kept = weightedDraws(sizes, countedUniform(noise, 0, [sizes.shape[1]!]));
 */
export function weightedDraws(weights: Tensor, uniforms: Tensor): Tensor {
  if (arePlainFloats([weights, uniforms]))
    return new Tensor(native().weightedDraws(weights.handle, uniforms.handle));
  return scope(() => {
    const [rows, elements] = weights.shape as [number, number];
    const sums = weights.to("float64").cumsum(1);
    const points = uniforms.to("float64").mul(sums.slice(1, elements - 1));
    const drawn = ops.searchsorted(sums, points, false, true).clamp(0, elements - 1);
    return ops.zeros([rows, elements], "bool", weights.device).scatterValue(1, drawn, 1);
  });
}
