import { noGrad, operators as ops, scope, type Tensor } from "../engine/index.js";
import { squaredDistances } from "./distances.js";

/**
 * Of each of the points (M, D), the share of its `k` nearest among `known` (N, D) that have its label, int64
 * (M) and (N); their mean over points. `same` says that the points of a position in both are of one image, in
 * one form or two: none is its own neighbor.
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
      const all = squaredDistances(a, b);
      const apart = same ? all.add(farFromItself(all)) : all;
      const [, nearest] = apart.topk(k, 1, false);
      const labels = known.labels.indexSelect(0, nearest.flatten()).reshape([-1, k]);
      return labels.eq(points.labels.unsqueeze(1)).to("float64").mean().item();
    }),
  );
}

/** Infinity where rows and columns are of one position (M, N), otherwise 0. */
function farFromItself(distances: Tensor): Tensor {
  const [rows, columns] = distances.shape.map((count) => ops.arange(0, count, 1, "int64", distances.device));
  const own = rows!.unsqueeze(1).eq(columns!.unsqueeze(0));
  return ops.where(own, distances.fullLike(Infinity), distances.zerosLike());
}
