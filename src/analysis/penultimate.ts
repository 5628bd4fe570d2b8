import { keep, type Tensor } from "../engine/index.js";
import { Linear, Module, type Pass, Sequential } from "../nn/index.js";

/** Hands its input to a function, and on. */
class Seen extends Module {
  readonly #take: (input: Tensor) => void;

  constructor(take: (input: Tensor) => void) {
    super();
    this.#take = take;
  }

  protected override forward(input: Tensor): Tensor {
    this.#take(input);
    return input;
  }
}

/**
 * Input of a network's last layer: the penultimate layer's activations (N, D) for images (N, C, H, W) in
 * a pass. The last layer of a `Sequential` is known; of any other module it is the `Linear` that is applied
 * last. TypeError for a module in which none is applied, such as a graph out of a file.
 */
export function penultimate(network: Module, images: Tensor, pass: Pass): Tensor {
  if (network instanceof Sequential) return network.applyBeforeLast(images, pass).flatten(1);
  const found = lastLinearInput(network, images, pass);
  if (found === undefined) {
    throw new TypeError(
      "network must be a Sequential, whose last layer is known, or end in a Linear layer, " +
        `not ${network.constructor.name}`,
    );
  }
  const activations = found.flatten(1);
  found.dispose();
  return activations;
}

/** Copy of the input of the `Linear` that a pass applies last; undefined where it applies none. */
function lastLinearInput(network: Module, images: Tensor, pass: Pass): Tensor | undefined {
  const all = [network, ...network.namedModules().map(([, module]) => module)];
  const layers = all.filter((module) => module instanceof Linear);
  let found: Tensor | undefined;
  const seen = new Seen((input) => {
    found?.dispose();
    found = keep(input.clone());
  });
  for (const layer of layers) layer.inputTransforms.push(seen);
  try {
    network.apply(images, pass).dispose();
  } catch (error) {
    found?.dispose();
    throw error;
  } finally {
    for (const layer of layers) layer.inputTransforms.pop();
  }
  return found;
}
