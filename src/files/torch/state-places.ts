import type { CheckpointValue } from "./torch-checkpoint.js";
import { StridedTensor } from "./torch-storage.js";

/** A dictionary of a checkpoint that has tensors. */
export interface Place {
  /** Its keys from the outermost on, joined by dots; undefined for the whole checkpoint. */
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
 * The dictionaries with tensors in a checkpoint. Entries under numbers are not looked into: those are an
 * optimizer's, one for each parameter.
 */
export function placesOfTensors(checkpoint: CheckpointValue): Place[] {
  const places: Place[] = [];
  // A dictionary may be an entry of many others, and its own: it is looked into once.
  const seen = new Map<Dictionary, Place>();
  const visit = (value: CheckpointValue, path: string | undefined, depth: number): void => {
    if (!(value instanceof Map) || depth > deepest) return;
    const before = seen.get(value);
    const place = before === undefined ? placeOf(value, path) : { ...before, path };
    if (place.tensors > 0) places.push(place);
    if (before !== undefined) return;
    seen.set(value, place);
    for (const [name, inner] of place.entries)
      visit(inner, path === undefined ? name : `${path}.${name}`, depth + 1);
  };
  visit(checkpoint, undefined, 0);
  return places;
}

/** The dictionary under a key, or under keys joined by dots; undefined where there is none. */
export function placeAt(checkpoint: CheckpointValue, key: string): Place | undefined {
  const find = (value: CheckpointValue, rest: string, depth: number): Dictionary | undefined => {
    if (!(value instanceof Map) || depth > deepest) return undefined;
    for (const [name, inner] of value) {
      if (String(name) === rest && inner instanceof Map) return inner;
    }
    for (const [name, inner] of value) {
      const found =
        rest.startsWith(`${String(name)}.`) && find(inner, rest.slice(String(name).length + 1), depth + 1);
      if (found) return found;
    }
    return undefined;
  };
  const found = find(checkpoint, key, 0);
  return found && placeOf(found, key);
}
