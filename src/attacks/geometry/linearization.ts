import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/attack.js";
import type { Target } from "../contract/target.js";
import { dualNorm, vectorLengths } from "./perturbation-length.js";

/** A decision boundary of each image, made linear at a point: what a class leads the label by, and its gradient there. */
export interface Boundary {
  /** z_k - z_y, (N). */
  readonly lead: Tensor;
  /** The gradient of the lead with respect to the pixels, (N, D). */
  readonly normal: Tensor;
}

/** The boundary to the class whose linearized boundary is nearest in a norm (Moosavi-Dezfooli et al. 2016, eq. 8). */
export function nearestBoundary(target: Target, points: Tensor, labels: Tensor, norm: Norm): Boundary {
  return scope(() => {
    const { jacobian, logits } = target.jacobian(points);
    const rows = jacobian.flatten(2);
    const own = labels.unsqueeze(1);
    const leads = logits.sub(logits.gather(1, own));
    const normals = rows.sub(rowOf(rows, own));
    const distances = leads.abs().div(vectorLengths(normals, dualNorm[norm]).add(1e-12));
    const nearest = distances.scatterValue(1, own, Number.POSITIVE_INFINITY).argmin(1, true);
    return { lead: leads.gather(1, nearest).squeeze(1), normal: rowOf(normals, nearest).squeeze(1) };
  });
}

/** The boundary to a given class (N) of each image, for one pass backward instead of one a class. */
export function boundaryTo(classes: Tensor, target: Target, points: Tensor, labels: Tensor): Boundary {
  return scope(() => {
    const lead = (logits: Tensor) => {
      const pair = logits.gather(1, ops.stack([classes, labels], 1));
      return pair.select(1, 0).sub(pair.select(1, 1));
    };
    const { gradient, losses } = target.gradient(points, lead);
    return { lead: losses, normal: gradient.flatten(1) };
  });
}

/** Row `index` (N, 1) of each of (N, K, D), as (N, 1, D). */
function rowOf(rows: Tensor, index: Tensor): Tensor {
  return rows.gather(1, index.unsqueeze(2).expand([-1, -1, rows.shape[2]!]));
}
