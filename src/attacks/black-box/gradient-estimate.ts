import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type LossName, losses } from "../../nn/index.js";
import { clearMargin } from "../contract/passes.js";
import type { Victim } from "../contract/victim.js";
import { copiesOf, copiesPerPass, type SearchState } from "./query-search.js";

/** Estimate of a gradient from differences of losses. */
export interface EstimateOptions {
  /** Queries of an estimate: half as many directions, each asked both ways. */
  readonly samples: number;
  /** Way along a direction to the point that is asked about. */
  readonly distance: number;
  readonly loss: LossName;
  readonly draws: number;
  /** Direction of each image, (M, C, H, W), of independent elements of mean 0 and variance 1. */
  direction(victim: Victim, shape: readonly number[], stream: number): Tensor;
}

/**
 * Estimates the gradient of a loss at candidates (M, C, H, W) by answers alone. It is the mean of u (f(x + s
 * u) - f(x - s u)) / 2s over random directions u. `step` numbers the estimates, whose directions and draws
 * are unrelated. Within an estimate, all differences see the same draws of a randomized classifier, so that
 * they are differences of images.
 */
export function estimateGradient(
  options: EstimateOptions,
  victim: Victim,
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
        const length = Math.min(together, pairs - from);
        const directions = ops.stack(
          Array.from({ length }, (_, i) => direction(victim, shape, step * pairs + from + i)),
          0,
        );
        const moves = directions.mul(distance);
        // The classifier is asked about images alone; where one way is cut off, both ends are half as far
        // apart.
        const both = ops.cat([moves.add(candidates), moves.neg().add(candidates)], 0).clamp(0, 1);
        const copies = copiesOf(victim, labels, 2 * length);
        const answers = copies.victim
          .query(both.flatten(0, 1), copies.labels, losses[options.loss], draws, step + 1)
          .reshape([2, length, count, 1, 1, 1]);
        sum.add_(directions.mul(answers.select(0, 0).sub(answers.select(0, 1))).sumDim([0]));
      });
    }
  });
  sum.div_(2 * distance * pairs);
  return sum;
}

/**
 * Margins by which candidates count as misclassified; a randomized classifier's decide nothing and stay as
 * they are.
 */
export function marginsAfter(victim: Victim, state: SearchState, candidates: Tensor, draws: number): Tensor {
  return victim.randomized ? state.margins : victim.query(candidates, state.labels, clearMargin, draws);
}
