import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type LossName, losses, margin } from "../../nn/losses.js";
import { copiesPerPass, repeated } from "../contract/repeated.js";
import type { Target } from "../contract/target.js";
import type { Standing } from "./standing.js";

/** How a gradient is estimated from differences of losses. */
export interface EstimateOptions {
  /** Queries of an estimate: half as many directions, each asked both ways. */
  readonly samples: number;
  /** How far along a direction the network is asked. */
  readonly distance: number;
  readonly loss: LossName;
  readonly draws: number;
  /** The direction of each image, (M, C, H, W), of independent elements of mean 0 and variance 1. */
  direction(target: Target, shape: readonly number[], stream: number): Tensor;
}

/**
 * The gradient of a loss at candidates (M, C, H, W), estimated without gradients: the mean of u (f(x + s u) - f(x - s u)) / 2s
 * over random directions u. `step` numbers the estimates, whose directions and draws are unrelated; within one, all
 * differences see the same draws of a randomized network, so that they are differences of images.
 */
export function estimateGradient(
  options: EstimateOptions,
  target: Target,
  candidates: Tensor,
  labels: Tensor,
  step: number,
): Tensor {
  const { distance, draws, direction } = options;
  const count = labels.size;
  const shape = candidates.shape.slice(1);
  const pairs = options.samples / 2;
  const together = copiesPerPass(2 * count, pairs);
  const sum = candidates.zerosLike();
  scope(() => {
    for (let from = 0; from < pairs; from += together) {
      scope(() => {
        const part = Math.min(together, pairs - from);
        const directions = ops.stack(
          Array.from({ length: part }, (_, i) => direction(target, shape, step * pairs + from + i)),
          0,
        );
        const moves = directions.mul(distance);
        // The network is asked about images alone; where one way is cut off, both ends are half as far apart.
        const both = ops.cat([moves.add(candidates), moves.neg().add(candidates)], 0).clamp(0, 1);
        const copies = repeated(target, labels, 2 * part);
        const answers = copies.target
          .query(both.flatten(0, 1), copies.labels, losses[options.loss], draws, step + 1)
          .reshape([2, part, count, 1, 1, 1]);
        sum.add_(directions.mul(answers.select(0, 0).sub(answers.select(0, 1))).sumDim([0]));
      });
    }
  });
  sum.div_(2 * distance * pairs);
  return sum;
}

/** The margins by which images count as misclassified; a randomized network's stay as they are, since they decide nothing. */
export function verdict(target: Target, state: Standing, candidates: Tensor, draws: number): Tensor {
  return target.randomized ? state.margins : target.query(candidates, state.labels, margin, draws);
}
