import type { CheckpointValue } from "./torch-checkpoint.js";
import { StridedTensor } from "./torch-storage.js";

/** The weights of a checkpoint, by name. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, StridedTensor>;
  /** Names of what lies beside the tensors and is none. */
  readonly left: readonly string[];
  /** The key of the checkpoint under which they are; undefined where they are the whole of it. */
  readonly place: string | undefined;
  /** Every key under which there are tensors: more than one where none was chosen. */
  readonly places: readonly string[];
  /** What every name began with, taken away: wrappers such as DataParallel put `module.` before them. */
  readonly prefix: string;
}

const wrappers = ["module.", "_orig_mod."];

function isDictionary(value: CheckpointValue | undefined): value is Map<CheckpointValue, CheckpointValue> {
  return value instanceof Map;
}

function hasTensors(value: CheckpointValue | undefined): boolean {
  return isDictionary(value) && [...value.values()].some((item) => item instanceof StridedTensor);
}

/** A dictionary's tensors by name, without a wrapper's prefix. */
function weightsOf(dictionary: Map<CheckpointValue, CheckpointValue>) {
  const named = [...dictionary].filter(
    (entry): entry is [string, StridedTensor] => typeof entry[0] === "string" && entry[1] instanceof StridedTensor,
  );
  const left = [...dictionary].filter(([, value]) => !(value instanceof StridedTensor)).map(([name]) => String(name));
  const prefix = wrappers.find((start) => named.every(([name]) => name.startsWith(start))) ?? "";
  return { tensors: new Map(named.map(([name, value]) => [name.slice(prefix.length), value])), left, prefix };
}

/**
 * The weights in a checkpoint: under `key` if given, else the whole of it where it holds tensors, else the only key under
 * which there are some. Without any, or with several, no tensors, and `places` says where some are.
 */
export function stateDictOf(checkpoint: CheckpointValue, key?: string): StateDict {
  const entries = isDictionary(checkpoint) ? [...checkpoint] : [];
  const places = entries.filter(([, value]) => hasTensors(value)).map(([name]) => String(name));
  const none: StateDict = { tensors: new Map(), left: [], place: undefined, places, prefix: "" };
  if (key === undefined && isDictionary(checkpoint) && hasTensors(checkpoint)) {
    return { ...none, ...weightsOf(checkpoint) };
  }
  const place = key ?? (places.length === 1 ? places[0] : undefined);
  const chosen = entries.find(([name]) => name === place)?.[1];
  if (!isDictionary(chosen) || !hasTensors(chosen)) return none;
  return { ...none, ...weightsOf(chosen), place };
}
