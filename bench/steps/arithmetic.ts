import { imageIdRange, noGrad, operators as ops, scope, type Tensor } from "../../src/engine/index.js";
import { Module, WeightedLayer, withoutFusion } from "../../src/nn/index.js";
import { type NetworkName, networks } from "../shared/networks.js";
import type { Step } from "./contenders.js";

/**
 * Counts the multiply-adds of the layer that it follows: each output is a sum over all weights of its
 * channel.
 */
class MultiplyAdds extends Module {
  count = 0;

  constructor(readonly weight: Tensor) {
    super();
  }

  protected override forward(output: Tensor): Tensor {
    this.count += (output.size * this.weight.size) / this.weight.shape[0]!;
    return output;
  }
}

/** Multiply-adds of one image's pass forward, padding included: counted while an image goes through. */
export function forwardMultiplyAdds(network: NetworkName): number {
  const { module, inputShape } = networks[network].model.build({ seed: 0 });
  const counters = module.namedModules().flatMap(([, layer]) => {
    if (!(layer instanceof WeightedLayer)) return [];
    const counter = new MultiplyAdds(layer.weight);
    layer.outputTransforms.push(counter);
    return [counter];
  });
  scope(() => {
    const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, 1) };
    const image = ops.zeros([1, ...inputShape], "float32");
    withoutFusion(() => noGrad(() => module.apply(image, { training: false, noiseFree: true, noise })));
  });
  module.dispose();
  return counters.reduce((sum, { count }) => sum + count, 0);
}

/**
 * Passes of a step in forward passes: 3 for training (forward, gradients of the activations and of the
 * weights), 2 more for an attack that asks for the input's gradient alone. The first layer's own input
 * gradient is counted though it is not needed.
 */
export const passes: Readonly<Record<Step, number>> = { standard: 3, fgsm: 5, "fgsm + sqa": 5 };

/** Floating point operations of a step. */
export function operationsOf(network: NetworkName, step: Step, batch: number): number {
  return 2 * forwardMultiplyAdds(network) * passes[step] * batch;
}
