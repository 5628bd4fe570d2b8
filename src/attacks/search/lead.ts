import { scope, type Tensor } from "../../engine/index.js";
import { margin } from "../../nn/losses.js";
import type { Ends } from "../contract/aim.js";
import type { Target } from "../contract/target.js";

/**
 * By how many logits a wanted class leads, logits (N, classes) -> (N): the best other class before the label, or the class
 * aimed at before the best other (Carlini and Wagner 2017, minus f6).
 */
export function leadOf({ labels, classes }: Ends): (logits: Tensor) => Tensor {
  if (classes === undefined) return (logits) => margin(logits, labels);
  return (logits) => margin(logits, classes).neg();
}

/**
 * Whether a wanted class leads by more than `kappa` logits, bool (N), as `Target.mostly` judges; a tie is no lead.
 *
 * The `logits` at hand of a deterministic network spare it a pass.
 */
export function wantedClassLeads(
  target: Target,
  candidates: Tensor,
  ends: Ends,
  { kappa = 0, logits }: { kappa?: number; logits?: Tensor } = {},
): Tensor {
  const lead = leadOf(ends);
  const leads = (z: Tensor) => lead(z).gt(kappa);
  if (logits !== undefined && !target.randomized) return scope(() => leads(logits));
  return target.mostly(candidates, ends.labels, leads);
}
