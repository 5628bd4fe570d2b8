import type { CheckpointValue } from "./torch-checkpoint.js";
import { StridedTensor } from "./torch-storage.js";

/** A dictionary of a checkpoint that has tensors. */
export interface Place {
  /** Its keys, and places in lists, from the outermost on, joined by dots; undefined for the whole. */
  readonly path: string | undefined;
  /** Its entries under names. */
  readonly entries: readonly (readonly [string, CheckpointValue])[];
  /** Its number of tensors. */
  readonly tensors: number;
  /**
   * Set where a tensor has the name of a layer's, such as `conv1.weight`, and not that of a figure, such as
   * `best_acc1`.
   */
  readonly looksLikeWeights: boolean;
}

/** Entries of a dictionary, and of a list or tuple by their places; undefined of any other value. */
export function entriesOf(
  value: CheckpointValue,
): Iterable<readonly [CheckpointValue, CheckpointValue]> | undefined {
  return value instanceof Map || Array.isArray(value) ? value.entries() : undefined;
}

type Dictionary = ReadonlyMap<CheckpointValue, CheckpointValue>;

/** Weights lie no deeper, as in `{ model: { state_dict } }`. */
const deepest = 4;

function placeOf(dictionary: Dictionary, path: string | undefined): Place {
  const entries = [...dictionary].filter(
    (entry): entry is [string, CheckpointValue] => typeof entry[0] === "string",
  );
  const named = entries.filter(([, value]) => value instanceof StridedTensor);
  const looksLikeWeights = named.some(([name]) => name.includes(".") || name === "weight" || name === "bias");
  return { path, entries, tensors: named.length, looksLikeWeights };
}

/**
 * The dictionaries with tensors in a checkpoint, which may be a list or tuple. Entries under numbers are not
 * looked into: those are an optimizer's, one for each parameter. Dictionaries of inner lists count where they
 * look like weights: an optimizer's groups do not.
 */
export function placesOfTensors(checkpoint: CheckpointValue): Place[] {
  const places: Place[] = [];
  // A dictionary may be an entry of many others, and its own: it is looked into once.
  const seen = new Map<Dictionary, Place>();
  const lists = new Set<CheckpointValue>();
  const visit = (value: CheckpointValue, path: string | undefined, depth: number, inList = false): void => {
    if (depth > deepest) return;
    const under = (name: string) => (path === undefined ? name : `${path}.${name}`);
    if (Array.isArray(value) && !lists.has(value)) {
      lists.add(value);
      const isInner = path !== undefined;
      for (const [i, inner] of value.entries()) visit(inner, under(String(i)), depth + 1, isInner);
    }
    if (!(value instanceof Map)) return;
    const before = seen.get(value);
    const place = before === undefined ? placeOf(value, path) : { ...before, path };
    if (place.tensors > 0 && (place.looksLikeWeights || !inList)) places.push(place);
    if (before !== undefined) return;
    seen.set(value, place);
    for (const [name, inner] of place.entries) visit(inner, under(name), depth + 1, inList);
  };
  visit(checkpoint, undefined, 0);
  return places;
}

/** The dictionary under a key, or under keys joined by dots; undefined where there is none. */
export function placeAt(checkpoint: CheckpointValue, key: string): Place | undefined {
  const find = (value: CheckpointValue, rest: string, depth: number): Dictionary | undefined => {
    const entries = [...((depth > deepest ? undefined : entriesOf(value)) ?? [])];
    for (const [name, inner] of entries) {
      if (String(name) === rest && inner instanceof Map) return inner;
    }
    for (const [name, inner] of entries) {
      const found =
        rest.startsWith(`${String(name)}.`) && find(inner, rest.slice(String(name).length + 1), depth + 1);
      if (found) return found;
    }
    return undefined;
  };
  const found = find(checkpoint, key, 0);
  return found && placeOf(found, key);
}
