import type { Target } from "../../attacks/index.js";
import type { Tensor } from "../../engine/index.js";

/** How the images that a network is trained on are made from clean ones. */
export interface TrainingMethod {
  /** The radius of the l-infinity ball that it trains for; undefined where it trains for none. */
  readonly epsilon?: number;
  /**
   * Clean images (N, C, H, W) in [0, 1] and labels (N) to training images; undefined trains on the clean ones. `stepScale`, 1
   * where left out, makes the attack's step smaller.
   */
  readonly perturb: ((target: Target, images: Tensor, labels: Tensor, stepScale?: number) => Tensor) | undefined;
  /**
   * The same from the gradient of the cross-entropy at the clean images, for methods that need no other: a run that also
   * trains on the clean images takes it from their backward pass and saves a pass of its own.
   */
  readonly fromCleanGradient?: ((images: Tensor, gradient: Tensor, stepScale?: number) => Tensor) | undefined;
}
