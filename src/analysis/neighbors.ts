import { noGrad, scope, type Tensor } from "../engine/index.js";
import { squaredDistances } from "./distances.js";

/**
 * Of each of the points (M, D), the share of its `k` nearest among `known` (N, D) that have its label, int64
 * (M) and (N); their mean over points. `same` says that both are the same points: none is its own neighbor.
 */
export function neighborAgreement(
  points: { readonly at: Tensor; readonly labels: Tensor },
  known: { readonly at: Tensor; readonly labels: Tensor },
  k: number,
  same = false,
): number {
  const most = known.at.shape[0]! - (same ? 1 : 0);
  if (!(Number.isInteger(k) && k >= 1 && k <= most))
    throw new RangeError(`k must lie in 1 .. ${most}, not ${k}`);
  return noGrad(() =>
    scope(() => {
      const [a, b] = [points.at.to("float64"), known.at.to("float64")];
      const apart = squaredDistances(a, b);
      // The nearest first; of the same points the first is the point itself.
      const [, order] = apart.topk(k + (same ? 1 : 0), 1, false);
      const nearest = order.slice(1, same ? 1 : 0);
      const labels = known.labels.indexSelect(0, nearest.flatten()).reshape([-1, k]);
      return labels.eq(points.labels.unsqueeze(1)).to("float64").mean().item();
    }),
  );
}
