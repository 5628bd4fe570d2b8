import type { Tensor } from "../engine/index.js";

/** Squared distances of points (M, D) from others (N, D), (M, N). */
export function squaredDistances(points: Tensor, others: Tensor): Tensor {
  const lengths = points
    .square()
    .sumDim([1], true)
    .add(others.square().sumDim([1]).unsqueeze(0));
  return lengths.sub(points.matmul(others.permute([1, 0])), 2).clamp(0);
}
