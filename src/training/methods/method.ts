import type { Target } from "../../attacks/target.js";
import type { Tensor } from "../../engine/index.js";

/** How the images that a network is trained on are made from clean ones. */
export interface TrainingMethod {
  /** Clean images (N, C, H, W) in [0, 1] and labels (N) to training images; undefined trains on the clean ones. */
  readonly perturb: ((target: Target, images: Tensor, labels: Tensor) => Tensor) | undefined;
}
