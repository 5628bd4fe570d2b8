import { norms, type Victim } from "../../attacks/index.js";
import { type Ranks, scope, type Tensor } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";

/** Signs of catastrophic overfitting that a training batch shows, for few passes. */
export interface Signals {
  /**
   * PertAlign: the mean cosine between an image's perturbation and the loss's gradient where it led. A
   * network that is nearly linear within the ball keeps it high; where it has learned to answer the attack it
   * falls to 0 or below.
   */
  readonly alignment: number;
  /** Share of images whose loss is lower after the attack than before. */
  readonly lossFell: number;
}

/**
 * Measures the signals of images (N, C, H, W), what a method made of them, and labels (N): four passes
 * forward in all.
 */
export function measureSignals(victim: Victim, clean: Tensor, perturbed: Tensor, labels: Tensor): Signals {
  return scope(() => {
    // The same draws at every call: a randomized network's loss must not fall by luck.
    const before = victim.meanLoss(clean, labels, crossEntropy, 1);
    const after = victim.meanLoss(perturbed, labels, crossEntropy, 1);
    const { gradient } = victim.gradient(perturbed, (logits) => crossEntropy(logits, labels));
    const moved = perturbed.sub(clean);
    // Of length 1 each; an image without perturbation or gradient has no angle, and counts as 0.
    norms.l2.step_(moved, clean);
    norms.l2.step_(gradient, clean);
    const cosines = moved.mul(gradient).sumDim([1, 2, 3]);
    const share = after.lt(before).to("float32");
    return { alignment: cosines.sum().item() / labels.size, lossFell: share.sum().item() / labels.size };
  });
}

/** Signals of a whole batch, by those of each rank's part and its share of the batch. */
export function signalsOverRanks(ranks: Ranks, share: number, { alignment, lossFell }: Signals): Signals {
  const sums = ranks.sum([alignment * share, lossFell * share]);
  return { alignment: sums[0]!, lossFell: sums[1]! };
}
