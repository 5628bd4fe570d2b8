import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/options.js";
import type { Victim } from "../contract/victim.js";
import { tiniest, vectorLengths } from "../geometry/norms.js";

/**
 * Decision boundary of each image, made linear at a point: the lead of a class and its gradient. Where the
 * gradient is tiny or huge, both are divided by its largest element: the boundary stays, and squares are
 * within float32.
 */
export interface Boundary {
  /** Lead of the class over the label, (N). */
  readonly lead: Tensor;
  /** Gradient of the lead with respect to the pixels, (N, D): 0, or with a largest element in [1e-6, 1e6]. */
  readonly normal: Tensor;
}

/** Norm that bounds a scalar product against one of `norm`: |a . b| <= |a| |b|dual. */
const dualNorm: Readonly<Record<Norm, Norm>> = { linf: "l1", l2: "l2", l1: "linf" };

/**
 * Lengths (N) of a boundary's normals in the dual of a norm, by which leads are divided to give distances.
 */
export function dualLengths({ normal }: Boundary, norm: Norm): Tensor {
  return vectorLengths(normal, dualNorm[norm]).clamp(1e-12);
}

/**
 * Boundary to the class whose linearized boundary is nearest in a norm (Moosavi-Dezfooli et al. 2016, eq. 8).
 *
 * @param classes classes that are looked at, int64 (N, K), the label first; all where left out
 */
export function nearestBoundary(
  victim: Victim,
  points: Tensor,
  labels: Tensor,
  norm: Norm,
  classes?: Tensor,
): Boundary {
  return scope(() => {
    const { jacobian, logits } = victim.jacobian(points, classes);
    const rows = jacobian.flatten(2);
    const label = labels.unsqueeze(1);
    const own = classes === undefined ? label : label.zerosLike();
    const leads = logits.sub(logits.gather(1, own));
    const boundaries = scaledBoundary(leads, rows.sub(rowOf(rows, own)));
    const distances = boundaries.lead.abs().div(dualLengths(boundaries, norm));
    const nearest = distances.scatterValue(1, own, Number.POSITIVE_INFINITY).argmin(1, true);
    return {
      lead: boundaries.lead.gather(1, nearest).squeeze(1),
      normal: rowOf(boundaries.normal, nearest).squeeze(1),
    };
  });
}

/** Boundary at which a lead of the logits, (N, classes) -> (N), is 0, and the logits: one pass backward. */
export function boundaryOf(lead: (logits: Tensor) => Tensor, victim: Victim, points: Tensor) {
  return scope(() => {
    const { gradient, losses, logits } = victim.gradient(points, lead);
    return { ...scaledBoundary(losses, gradient.flatten(1)), logits };
  });
}

/** Linearizes, at points (N, C, H, W), the boundary to a given class (N) of each image. */
export function boundaryTo(classes: Tensor, victim: Victim, labels: Tensor): (points: Tensor) => Boundary {
  const pairs = ops.stack([classes, labels], 1);
  const lead = (logits: Tensor) => {
    const pair = logits.gather(1, pairs);
    return pair.select(1, 0).sub(pair.select(1, 1));
  };
  return (points) => boundaryOf(lead, victim, points);
}

/** Lead of a boundary that a vanishing gradient puts out of reach. */
const unreachable = 1e30;

/** Boundary of leads (...) and their gradients (..., D). */
function scaledBoundary(lead: Tensor, gradient: Tensor): Boundary {
  const largest = vectorLengths(gradient, "linf");
  // Gradients of a common size keep their bits.
  const common = largest.ge(1e-6).logicalAnd(largest.le(1e6));
  const divisor = ops.where(common, largest.onesLike(), largest.clamp(tiniest));
  return {
    lead: lead.div(divisor).clamp(-unreachable, unreachable),
    normal: gradient.div(divisor.unsqueeze(-1)),
  };
}

/** Row `index` (N, 1) of each of (N, K, D), as (N, 1, D). */
function rowOf(rows: Tensor, index: Tensor): Tensor {
  return rows.gather(1, index.unsqueeze(2).expand([-1, -1, rows.shape[2]!]));
}
