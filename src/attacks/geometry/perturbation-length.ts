import { operators as ops, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/attack.js";

/** The norm that bounds a scalar product against one of `norm`: |a . b| <= |a| |b|dual. */
export const dualNorm: Readonly<Record<Norm, Norm>> = { linf: "l1", l2: "l2", l1: "linf" };

/** Lengths, in a norm, along the last axis of vectors (..., D). */
export function vectorLengths(vectors: Tensor, norm: Norm): Tensor {
  return norm === "linf" ? vectors.abs().amax([-1]) : ops.vectorNorm(vectors, norm === "l2" ? 2 : 1, [-1]);
}

/** The length of each perturbation (N, C, H, W), float32 (N). */
export function perturbationLengths(perturbations: Tensor, norm: Norm): Tensor {
  return vectorLengths(perturbations.flatten(1), norm);
}

/** A number for each image (N) as a factor of its pixels, (N, 1, 1, 1). */
export function perImage(numbers: Tensor): Tensor {
  return numbers.reshape([-1, 1, 1, 1]);
}
