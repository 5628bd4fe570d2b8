import type { Step } from "./contenders.js";
import { type NetworkName, networks } from "./options.js";

/** Multiply-adds of one image's pass forward: a convolution's weights are used at every pixel, which pooling halves. */
export function forwardMultiplyAdds(network: NetworkName): number {
  const { module, inputShape } = networks[network].build({ seed: 0 });
  const sizes = [...module.state()].map(([name, { shape }]) => {
    if (!name.endsWith(".weight")) return 0;
    const block = /^conv(\d)/.exec(name)?.[1];
    const side = block === undefined ? 1 : Math.floor(inputShape[1] / 2 ** (Number(block) - 1));
    return side ** 2 * shape.reduce((product, size) => product * size, 1);
  });
  module.dispose();
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Passes of a step in forward passes: 3 for training (forward, gradients of the activations and of the weights), 2 more for
 * an attack that asks for the input's gradient alone. The first layer's own input gradient is counted though it is not needed.
 */
export const passes: Readonly<Record<Step, number>> = { standard: 3, fgsm: 5, "fgsm + sqa": 5 };

/** Floating point operations of a step. */
export function operationsOf(network: NetworkName, step: Step, batch: number): number {
  return 2 * forwardMultiplyAdds(network) * passes[step] * batch;
}
