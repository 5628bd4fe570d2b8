import { unknownName } from "../engine/index.js";
import type { Module } from "../nn/index.js";
import { type QuantizerFactory, StochasticQuantizedActivation } from "./sqa.js";

/** The quantizers placed in a network, with the names of the layers that they follow. */
export function placedQuantizers(network: Module): [string, StochasticQuantizedActivation][] {
  return network
    .namedModules()
    .flatMap(([name, module]) =>
      module.outputTransforms
        .filter((transform) => transform instanceof StochasticQuantizedActivation)
        .map((quantizer) => [name, quantizer] as [string, StochasticQuantizedActivation]),
    );
}

/** Whether two passes of a network can differ. */
export function isRandomized(network: Module): boolean {
  return placedQuantizers(network).some(([, quantizer]) => quantizer.randomized);
}

/** The names that a pattern matches: `*` stands for any text without a dot, `**` for any text. */
export function matchingNames(pattern: string, names: readonly string[]): string[] {
  const expression = pattern
    .replace(/[\\^$+?.()|[\]{}]/g, "\\$&")
    .replace(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^.]*"));
  return names.filter((name) => new RegExp(`^${expression}$`).test(name));
}

/**
 * Places quantizers after named layers of any network: `placeAfter(network, { relu1: sqa(), "layer*.relu": sqa({ lambda: 2 }) })`.
 *
 * Names are those of `namedModules`, or patterns with `*`. Throws a RangeError that lists the layers when a name matches
 * none; then nothing is placed. Returns the network.
 */
export function placeAfter<M extends Module>(network: M, placement: Readonly<Record<string, QuantizerFactory>>): M {
  const modules = new Map(network.namedModules());
  const names = [...modules.keys()];
  const chosen = Object.entries(placement).flatMap(([pattern, make]) => {
    const matches = matchingNames(pattern, names);
    if (matches.length === 0) throw unknownName("layer", pattern, names);
    return matches.map((name) => ({ name, make }));
  });
  let stream = placedQuantizers(network).length;
  for (const { name, make } of chosen) modules.get(name)!.outputTransforms.push(make(stream++));
  return network;
}
