import { Module } from "../../nn/index.js";
import { checkNetwork, layersOf } from "../layer-names.js";
import { QuantizedActivation, type QuantizerFactory } from "./quantizer.js";

/** The quantizers placed in a network, with the names of the layers that they follow. */
export function placedQuantizers(network: Module): [string, QuantizedActivation][] {
  checkNetwork(network);
  return network
    .namedModules()
    .flatMap(([name, module]) =>
      module.outputTransforms
        .filter((transform) => transform instanceof QuantizedActivation)
        .map((quantizer) => [name, quantizer] as [string, QuantizedActivation]),
    );
}

/** Placement after each module, once. RangeError where names of one module are given different things. */
function onceEach<Make>(
  chosen: readonly (readonly [string, Make])[],
  modules: ReadonlyMap<string, Module>,
): (readonly [string, Make])[] {
  const placed = new Map<Module, readonly [string, Make]>();
  for (const [name, make] of chosen) {
    const module = modules.get(name)!;
    const [before, other] = placed.get(module) ?? [];
    if (before === undefined) placed.set(module, [name, make]);
    else if (other !== make)
      throw new RangeError(`layers "${before}" and "${name}" are one module: name one of them`);
  }
  return [...placed.values()];
}

/**
 * Places quantizers after named layers of any network.
 *
 * Names are those of `namedModules`, or patterns with `*`. Throws a RangeError that lists the layers when a
 * name matches none, or when two match the same layer; then nothing is placed. Returns the network. The noise
 * of a quantizer is keyed by its place in the order of placing, so a layer that a network applies twice in a
 * pass quantizes with the same draws twice: give each place a layer of its own.
 *
 * @example
 * placeAfter(network, { relu1: quantizer(), "layer*.relu": quantizer({ lambda: 2 }) })
 */
export function placeAfter<M extends Module>(
  network: M,
  placement: Readonly<Record<string, QuantizerFactory>>,
): M {
  checkNetwork(network);
  const modules = new Map(network.namedModules());
  const chosen = onceEach(layersOf(placement, [...modules.keys()]), modules);
  const first = placedQuantizers(network).length;
  const quantizers = chosen.map(([name, make], i) => [name, make(first + i)] as const);
  const wrong = quantizers.find(([, quantizer]) => !(quantizer instanceof Module));
  if (wrong !== undefined)
    throw new TypeError(`"${wrong[0]}" must be given what quantizer() or the like returns`);
  for (const [name, quantizer] of quantizers) modules.get(name)!.outputTransforms.push(quantizer);
  return network;
}
