import type { Tensor } from "../engine/index.js";
import { type Module, type Pass, Sequential } from "../nn/index.js";

/**
 * Input of a network's last layer: the penultimate layer's activations (N, D) for images (N, C, H, W) in
 * a pass. TypeError for a network that is no sequence of layers.
 */
export function penultimate(network: Module, images: Tensor, pass: Pass): Tensor {
  if (!(network instanceof Sequential)) {
    throw new TypeError(
      `network must be a Sequential, whose last layer is known, not ${network.constructor.name}`,
    );
  }
  return network.applyBeforeLast(images, pass).flatten(1);
}
