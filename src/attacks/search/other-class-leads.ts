import { scope, type Tensor } from "../../engine/index.js";
import { margin } from "../../nn/losses.js";
import type { Target } from "../contract/target.js";

/** Draws over which a randomized network is judged. */
const verdictDraws = 8;

/**
 * Whether another class leads by more than `kappa` logits, bool (N), which at 0 is what `Target.fooled` asks: with a randomized network in more than half of several
 * draws apart, since one lucky draw is no success. The `logits` at hand of a deterministic network spare it a pass.
 */
export function otherClassLeads(
  target: Target,
  candidates: Tensor,
  labels: Tensor,
  { kappa = 0, logits }: { kappa?: number; logits?: Tensor } = {},
): Tensor {
  return scope(() => {
    const leads = (z: Tensor, y: Tensor) => margin(z, y).gt(kappa);
    if (logits !== undefined && !target.randomized) return leads(logits, labels);
    const draws = target.randomized ? verdictDraws : 1;
    return target.meanLoss(candidates, labels, (z, y) => leads(z, y).to("float32"), draws).gt(0.5);
  });
}
