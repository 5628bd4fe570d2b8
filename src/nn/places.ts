import type { Tensor } from "../engine/index.js";

/** Parts of a module that are seen here. */
interface Walked {
  readonly inputTransforms: readonly Walked[];
  readonly outputTransforms: readonly Walked[];
  namedModules(prefix?: string): [string, Walked][];
  stored(): Map<string, Tensor>;
}

/** Fields whose modules have no names in the state. */
export const transformFields = ["inputTransforms", "outputTransforms"] as const;

/** The place of a module in a network. */
interface Place {
  /** Field names joined by dots; empty for the network itself. */
  readonly name: string;
  /** The stream of the module's noise. */
  readonly stream: number;
}

/**
 * The noise of layers lies beside that of quantizers, whose streams count from 0, and of random weights
 * (2^30).
 */
const firstStream = 2 ** 29;

const placesIn = new WeakMap<Walked, Map<Walked, Place>>();

/** The network whose pass, or whose reading of tensors, goes on now. */
let outermost: Walked | undefined;

/**
 * Places of all modules of a network, in the order of `namedModules`, and behind them what is applied to
 * inputs and outputs.
 */
function walk(network: Walked): Map<Walked, Place> {
  const named: [string, Walked][] = [["", network], ...network.namedModules()];
  const places = new Map<Walked, Place>();
  // Transforms are appended while the list is gone through: so a quantizer moves no layer's stream.
  for (const [name, module] of named) {
    if (!places.has(module)) places.set(module, { name, stream: firstStream + places.size });
    for (const field of transformFields) {
      for (const [i, transform] of module[field].entries()) {
        const prefix = `${name}${name && "."}${field}.${i}`;
        named.push([prefix, transform], ...transform.namedModules(`${prefix}.`));
      }
    }
  }
  placesIn.set(network, places);
  return places;
}

/**
 * The place of a module in the network whose pass goes on, or in itself outside of a pass. Undefined for a
 * module that is not found by walking the network's fields.
 */
export function placeOf(module: Walked): Place | undefined {
  const network = outermost ?? module;
  return placesIn.get(network)?.get(module) ?? walk(network).get(module);
}

const givenNames = new WeakMap<Walked, string>();

/** Tells every module of a new sequence its name in it, for when its weights are read by themselves. */
export function giveNames(sequence: Walked): void {
  for (const [name, module] of sequence.namedModules()) givenNames.set(module, name);
}

/** The name by which a layer's first weights are drawn: the longest that a network has given it. */
export function nameOf(module: Walked): string {
  const [given = "", placed = ""] = [givenNames.get(module), placeOf(module)?.name];
  return placed.length > given.length ? placed : given;
}

const named = new WeakSet<Error>();

/** Puts the name of the layer that an error came out of before its message, once. */
function nameLayer(error: unknown, module: Walked): void {
  if (!(error instanceof Error) || named.has(error)) return;
  if (!Object.getOwnPropertyDescriptor(error, "message")?.writable) return;
  let name: string | undefined;
  try {
    name = placeOf(module)?.name;
  } catch {
    return; // a network that cannot be walked, which is what the error says
  }
  if (!name) return;
  named.add(error);
  const { message, stack } = error;
  error.message = `in layer "${name}": ${message}`;
  if (typeof stack === "string") error.stack = stack.replace(message, () => error.message);
}

/**
 * Runs a module's part of a pass, or of reading a network's tensors: an error out of it begins with the
 * module's name.
 */
export function within<T>(module: Walked, body: () => T): T {
  const before = outermost;
  outermost ??= module;
  try {
    return body();
  } catch (error) {
    nameLayer(error, module);
    throw error;
  } finally {
    outermost = before;
  }
}

/**
 * Tensors of all that a network applies to inputs and outputs, such as the trained part of a defense: by
 * names that no state has, since the state is of the network's own.
 */
export function transformTensors(network: Walked): Map<string, Tensor> {
  return within(network, () => {
    const found = new Map<string, Tensor>();
    for (const [name, module] of [["", network] as const, ...network.namedModules()]) {
      for (const field of transformFields) {
        for (const [i, transform] of module[field].entries()) {
          const prefix = `${name}${name && "."}${field}.${i}.`;
          for (const [key, value] of [...transform.stored(), ...transformTensors(transform)])
            found.set(prefix + key, value);
        }
      }
    }
    return found;
  });
}
