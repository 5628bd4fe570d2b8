import type { Tensor } from "../../engine/index.js";
import type { Target } from "../contract/target.js";
import type { Standing } from "./standing.js";

/** How Square searches in one norm's ball. Each image has squares of its own. */
export interface SquareSearch {
  /** The side of a square of about so many pixels. */
  side(pixels: number): number;
  start(target: Target, images: Tensor, epsilon: number): Tensor;
  /** Candidates (M, C, H, W): the best so far with one more square. */
  propose(target: Target, state: Standing, side: number, epsilon: number, iteration: number): Tensor;
}
