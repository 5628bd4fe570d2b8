import { checkKind, isObject, unknownName } from "../base/index.js";
import { Module, ReLU } from "../nn/index.js";

/** Throws a TypeError unless what is given is a network. */
export function checkNetwork(network: Module): void {
  checkKind(
    "network",
    network,
    "a Module, such as small().build({ seed: 0 }).module",
    network instanceof Module,
  );
}

/** The names that a pattern matches: `*` stands for any text without a dot, `**` for any text. */
export function matchingNames(pattern: string, names: readonly string[]): string[] {
  checkKind("pattern", pattern, "text", typeof pattern === "string");
  checkKind("names", names, "a list of names", Array.isArray(names));
  const text = pattern
    .replace(/[\\^$+?.()|[\]{}]/g, "\\$&")
    .replace(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^.]*"));
  const expression = new RegExp(`^${text}$`);
  return names.filter((name) => expression.test(name));
}

/**
 * Layers among the names that a placement such as `{ relu1: a, "layer*.relu": b }` chooses, each with what it
 * is given.
 *
 * RangeError, before anything is changed: a pattern that matches nothing (lists the names, suggests the
 * nearest), a layer that two patterns match. TypeError for a value that is no function.
 */
export function layersOf<Make extends (stream: number) => unknown>(
  placement: Readonly<Record<string, Make>>,
  names: readonly string[],
): [string, Make][] {
  checkKind("placement", placement, "an object such as { relu1: quantizer() }", isObject(placement));
  const chosen = new Map<string, { pattern: string; make: Make }>();
  for (const [pattern, make] of Object.entries(placement)) {
    if (typeof make !== "function")
      throw new TypeError(`"${pattern}" must be given what quantizer() or the like returns`);
    const matches = matchingNames(pattern, names);
    if (matches.length === 0) throw unknownName("layer", pattern, names);
    for (const name of matches) {
      const before = chosen.get(name);
      if (before)
        throw new RangeError(`layer "${name}" is matched by both "${before.pattern}" and "${pattern}"`);
      chosen.set(name, { pattern, make });
    }
  }
  return [...chosen].map(([name, { make }]) => [name, make]);
}

/** Names of layers in words, the first ten. */
export function someNames(names: readonly string[]): string {
  if (names.length === 0) return "no layers in its fields";
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ", ..." : "");
}

/**
 * The ReLU layers of a network that a pattern matches, each once: a module may have several names. RangeError
 * that lists them where there are none.
 */
export function reluLayers(network: Module, pattern: string): ReLU[] {
  checkNetwork(network);
  const layers = network.namedModules().filter((entry): entry is [string, ReLU] => entry[1] instanceof ReLU);
  const chosen = matchingNames(
    pattern,
    layers.map(([name]) => name),
  );
  if (chosen.length > 0) {
    const named = layers.filter(([name]) => chosen.includes(name)).map(([, layer]) => layer);
    return [...new Set(named)];
  }
  if (layers.length === 0) {
    const known = network.namedModules().map(([name]) => name);
    throw new RangeError(
      "the model has no ReLU layer that this defense could follow: its activations must be modules of the " +
        `class ReLU; it has ${someNames(known)}`,
    );
  }
  throw unknownName(
    "ReLU layer",
    pattern,
    layers.map(([name]) => name),
  );
}
