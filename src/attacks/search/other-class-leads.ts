import { scope, type Tensor } from "../../engine/index.js";
import { type Loss, margin } from "../../nn/losses.js";
import type { Target } from "../contract/target.js";

/**
 * Whether another class leads by more than `kappa` logits, bool (N), as `Target.mostly` judges; a tie is no lead.
 *
 * The `logits` at hand of a deterministic network spare it a pass.
 */
export function otherClassLeads(
  target: Target,
  candidates: Tensor,
  labels: Tensor,
  { kappa = 0, logits }: { kappa?: number; logits?: Tensor } = {},
): Tensor {
  const leads: Loss = (z, y) => margin(z, y).gt(kappa);
  if (logits !== undefined && !target.randomized) return scope(() => leads(logits, labels));
  return target.mostly(candidates, labels, leads);
}
