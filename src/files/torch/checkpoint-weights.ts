import { statSync } from "node:fs";
import { FileFormatError, shownName, unknownName } from "../../base/index.js";
import { exportAdvice } from "../pt2/recipe.js";
import type { SafetensorsTensor } from "../safetensors.js";
import { type StateDict, stateDictOf } from "./state-dict.js";
import { mostWritten, readTorchCheckpoint } from "./torch-checkpoint.js";
import type { StridedTensor } from "./torch-storage.js";

/** Choice of the weights in a file. */
export interface WeightsChoice {
  /** Place of the weights in a checkpoint, such as `state_dict`; found where there is but one. */
  readonly key?: string | undefined;
  /** Beginning of the names of the weights, which is taken away. */
  readonly prefix?: string | undefined;
}

/** Weights of a PyTorch checkpoint. */
export interface CheckpointWeights {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly state: StateDict;
  /** Sentences on what was converted and passed over. */
  readonly remarks: readonly string[];
}

/** The first names of a list, and how many there are beside them. */
export function someNames(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(shownName).join(", ");
  return names.length <= 10 ? shown : `${shown} and ${names.length - 10} more`;
}

/**
 * Reads the weights of a PyTorch checkpoint (.pt, .pth). Nothing of it is executed.
 *
 * @throws FileFormatError that names the file and says where weights are, where none or several dictionaries
 *   could be meant; RangeError for a key or prefix that it does not have
 */
export function readCheckpointWeights(file: string, { key, prefix }: WeightsChoice = {}): CheckpointWeights {
  const checkpoint = readTorchCheckpoint(file);
  const state = named(file, () => stateDictOf(checkpoint, key, prefix));
  if (state.tensors.size === 0) refuse(file, key, state);
  return { tensors: copied(file, state), state, remarks: remarksOf(state) };
}

/** Copies each tensor once, also one of several names; what is written of it for every name is limited. */
function copied(file: string, { tensors }: StateDict): Map<string, SafetensorsTensor> {
  const limit = mostWritten(statSync(file).size);
  const written = [...tensors.values()].reduce((sum, { size, writtenBytes }) => sum + size * writtenBytes, 0);
  if (written > limit) {
    const problem = `its ${tensors.size} weights have ${written} bytes once they are written`;
    throw new FileFormatError(`${file}: ${problem}, more than ${limit}: too many names share tensors`);
  }
  const copies = new Map<StridedTensor, SafetensorsTensor>();
  const copyOf = (tensor: StridedTensor) => {
    const copy = copies.get(tensor) ?? tensor.toRowMajor();
    copies.set(tensor, copy);
    return copy;
  };
  return new Map([...tensors].map(([name, tensor]) => [name, copyOf(tensor)]));
}

/** State dict that `find` finds in a file, which an error about it names. */
function named(file: string, find: () => StateDict): StateDict {
  try {
    return find();
  } catch (error) {
    if (error instanceof FileFormatError)
      throw new FileFormatError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

function refuse(file: string, key: string | undefined, { places, beside }: StateDict): never {
  if (key !== undefined && !places.includes(key)) throw unknownName("key", key, places.map(shownName));
  const where =
    places.length > 0
      ? `: it has weights under ${someNames(places)}; give one by --key`
      : beside.length > 0
        ? `; it has ${someNames(beside)}. Save the network's state_dict(), or ${exportAdvice}`
        : "";
  throw new FileFormatError(`${file}: no weights are found${where}`);
}

function remarksOf({ place, beside, prefix, left, tensors }: StateDict): string[] {
  const types = new Map<string, number>();
  for (const [, { type }] of tensors) types.set(type, (types.get(type) ?? 0) + 1);
  const changed = [...types]
    .filter(([type]) => type !== "float32" && type !== "int64")
    .map(([type, count]) => `${count} of ${type} as ${/^(float|bfloat)/.test(type) ? "float32" : "int64"}`);
  return [
    ...(place === undefined ? [] : [`weights under "${shownName(place)}"`]),
    ...(beside.length === 0 ? [] : [`passed over beside them: ${someNames(beside)}`]),
    ...(prefix === "" ? [] : [`without the prefix "${shownName(prefix)}" of every name`]),
    ...(left.length === 0 ? [] : [`left out, for they are no tensors of the weights: ${someNames(left)}`]),
    ...changed.map((change) => `written: ${change}`),
  ];
}
