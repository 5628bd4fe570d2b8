import { FileFormatError, shownName, unknownName } from "../../base/index.js";
import { PickleUnread } from "./pickle-values.js";
import { entriesOf, type Place, placeAt, placesOfTensors } from "./state-places.js";
import type { CheckpointValue } from "./torch-checkpoint.js";
import { StridedTensor } from "./torch-storage.js";

/** The weights of a checkpoint, by name. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, StridedTensor>;
  /** Names of what lies among the weights and is none, and of tensors without the wanted prefix. */
  readonly left: readonly string[];
  /** Names of what lies beside the dictionary of the weights, each with its class where that is not read. */
  readonly beside: readonly string[];
  /** The key of the checkpoint under which they are; undefined where they are the whole of it. */
  readonly place: string | undefined;
  /** Every key under which there are tensors: more than one where none was chosen. */
  readonly places: readonly string[];
  /** Beginning of every name, taken away: wrappers such as DataParallel put `module.` before them. */
  readonly prefix: string;
}

/**
 * Segments of names that wrappers add: DataParallel and averaged copies the first, `torch.compile` the
 * second.
 */
const wrappers = ["module", "_orig_mod"];

/** The count that PyTorch's averaged copies keep beside the network. */
const averagedCount = "n_averaged";

type NamedOf<T> = readonly (readonly [string, T])[];

/**
 * Names without what wrappers added, in any order and number; `_orig_mod` also within, of compiled parts of a
 * network.
 */
function unwrapped<T>(named: NamedOf<T>): { named: NamedOf<T>; prefix: string; counts: string[] } {
  const counts: string[] = [];
  let prefix = "";
  let rest = named;
  for (;;) {
    const others = rest.filter(([name]) => name !== averagedCount);
    const wrapper = wrappers.find(
      (one) => others.length > 0 && others.every(([name]) => name.startsWith(`${one}.`)),
    );
    if (wrapper === undefined) break;
    if (others.length < rest.length) counts.push(prefix + averagedCount);
    prefix += `${wrapper}.`;
    rest = others.map(([name, tensor]) => [name.slice(wrapper.length + 1), tensor] as const);
  }
  const compiled = (name: string) => name.replaceAll(/(^|\.)_orig_mod\./g, "$1");
  return { named: rest.map(([name, tensor]) => [compiled(name), tensor] as const), prefix, counts };
}

/**
 * Tensors of a file without what wrappers added to their names, in any order and number, and of those the
 * ones under a prefix, which is taken away too. RangeError for a prefix that none has, FileFormatError for
 * names that become the same.
 */
export function plainNames<T>(given: ReadonlyMap<string, T>, wanted = ""): Map<string, T> {
  const { named } = unwrapped([...given]);
  return underPrefix(named, wanted);
}

function underPrefix<T>(named: NamedOf<T>, wanted: string): Map<string, T> {
  const chosen = named.filter(([name]) => name.startsWith(wanted));
  if (named.length > 0 && chosen.length === 0) throw unknownName("prefix", wanted, firstSegments(named));
  const tensors = new Map<string, T>();
  for (const [name, tensor] of chosen) {
    const short = name.slice(wanted.length);
    if (tensors.has(short)) {
      throw new FileFormatError(
        `two tensors have the name "${shownName(short)}" once their wrappers' prefixes are taken away`,
      );
    }
    tensors.set(short, tensor);
  }
  return tensors;
}

/** A dictionary's tensors by name, without what wrappers added, and of those only the ones under a prefix. */
function weightsOf({ entries }: Place, wanted = "") {
  for (const [name, value] of entries) {
    if (!(value instanceof PickleUnread) || !value.holdsMade) continue;
    throw new FileFormatError(
      `"${shownName(name)}" is a tensor of a kind that is not read: ${shownName(value.name)}`,
    );
  }
  const isTensor = (entry: readonly [string, CheckpointValue]): entry is [string, StridedTensor] =>
    entry[1] instanceof StridedTensor;
  const { named, prefix, counts } = unwrapped(entries.filter(isTensor));
  const others = named.map(([name]) => name).filter((name) => !name.startsWith(wanted));
  const notTensors = entries.filter((entry) => !isTensor(entry)).map(([name]) => name);
  const tensors = underPrefix(named, wanted);
  return { tensors, left: [...notTensors, ...counts, ...others], prefix: prefix + wanted };
}

/** Beginnings of names, up to their first dot. */
function firstSegments(named: NamedOf<unknown>): string[] {
  return [
    ...new Set(named.map(([name]) => name.slice(0, name.indexOf(".") + 1)).filter((start) => start !== "")),
  ];
}

/**
 * Returns the segment that every name of a state dict begins with, `model.` for example; undefined where they
 * differ.
 */
export function commonSegment(names: Iterable<string>): string | undefined {
  const starts = new Set([...names].map((name) => name.slice(0, name.indexOf(".") + 1)));
  const [only] = starts;
  return starts.size === 1 && only !== "" ? only : undefined;
}

/** Finds the place of the weights: the only one, or the only one whose names are those of weights. */
function choose(places: readonly Place[]): Place | undefined {
  const likely = places.filter(({ looksLikeWeights }) => looksLikeWeights);
  if (likely.length === 1) return likely[0];
  if (likely.length > 1) {
    const root = likely.find(({ path }) => path === undefined);
    return likely.every((place) => place === root || place.tensors < (root?.tensors ?? 0)) ? root : undefined;
  }
  // Tensors by themselves, such as an accuracy, lie beside the dictionary of the weights.
  const inner = places.filter(({ path }) => path !== undefined);
  return inner.length === 0 ? places[0] : inner.length === 1 ? inner[0] : undefined;
}

/**
 * The weights in a checkpoint: under `key` if given, else where the only dictionary of tensors is that could
 * be weights, which may be the whole of it. Without any, or with several, no tensors, and `places` says where
 * some are.
 *
 * `prefix` chooses those whose names begin with it, once wrappers' prefixes are taken away, and is taken away
 * too. Throws a RangeError for one that none has, and a FileFormatError for tensors that cannot be read and
 * names that become the same.
 */
export function stateDictOf(checkpoint: CheckpointValue, key?: string, prefix?: string): StateDict {
  const found = placesOfTensors(checkpoint);
  const places = found.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const chosen = key === undefined ? choose(found) : placeAt(checkpoint, key);
  if (chosen === undefined || chosen.tensors === 0) {
    return {
      tensors: new Map(),
      left: [],
      beside: besideOf(checkpoint, undefined),
      place: undefined,
      places,
      prefix: "",
    };
  }
  return { beside: besideOf(checkpoint, chosen), place: chosen.path, places, ...weightsOf(chosen, prefix) };
}

/** Names what a checkpoint has beside the chosen dictionary. */
function besideOf(checkpoint: CheckpointValue, chosen: Place | undefined): string[] {
  const entries = entriesOf(checkpoint);
  if (entries === undefined || (chosen !== undefined && chosen.path === undefined)) return [];
  const shown = (name: CheckpointValue) => (Array.isArray(checkpoint) ? `item ${name}` : String(name));
  return [...entries]
    .filter(([name]) => chosen?.path !== String(name) && !chosen?.path?.startsWith(`${String(name)}.`))
    .map(([name, value]) => (value instanceof PickleUnread ? `${shown(name)} (${value.name})` : shown(name)));
}
