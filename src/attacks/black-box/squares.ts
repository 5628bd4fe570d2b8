import { operators as ops, type Tensor } from "../../engine/index.js";
import type { Victim } from "../contract/victim.js";
import type { SearchState } from "./query-search.js";

/** Search of Square in a norm's ball. Each image has squares of its own. */
export interface SquareSearch {
  /** Side of a square of about so many pixels. */
  side(pixels: number): number;
  start(victim: Victim, images: Tensor, epsilon: number): Tensor;
  /** Candidates (M, C, H, W): the best so far with another square. */
  propose(victim: Victim, state: SearchState, side: number, epsilon: number, iteration: number): Tensor;
}

/**
 * Pixels of a square of `side` in each of M images (M, C, H, W), row by row. They are places in H * W, int64
 * (M, C, side^2), the same in each channel. Two uniforms (M, 1, 1) place the square; every position is
 * equally likely.
 */
export function squarePixels(u: Tensor, v: Tensor, side: number, images: Tensor): Tensor {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const first = u
    .mul(height - side + 1)
    .floor()
    .mul(width)
    .add(v.mul(width - side + 1).floor());
  const line = ops.arange(0, side, 1, "float32", images.device);
  const offsets = line
    .mul(width)
    .unsqueeze(1)
    .add(line)
    .reshape([1, 1, side * side]);
  return first
    .add(offsets)
    .to("int64")
    .expand([count, channels, side * side]);
}

/** Maps uniforms in [0, 1) to -1 or 1. */
export function signs(uniforms: Tensor): Tensor {
  return uniforms.ge(0.5).to("float32").mul(2).sub(1);
}
