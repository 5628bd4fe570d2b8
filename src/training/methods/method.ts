import type { Target } from "../../attacks/index.js";
import type { Tensor } from "../../engine/index.js";

/** How the images that a network is trained on are made from clean ones. */
export interface TrainingMethod {
  /** Clean images (N, C, H, W) in [0, 1] and labels (N) to training images; undefined trains on the clean ones. */
  readonly perturb: ((target: Target, images: Tensor, labels: Tensor) => Tensor) | undefined;
  /**
   * The same from the gradient of the cross-entropy at the clean images, for methods that need no other: a run that also
   * trains on the clean images takes it from their backward pass and saves a pass of its own.
   */
  readonly fromCleanGradient?: ((images: Tensor, gradient: Tensor) => Tensor) | undefined;
}
