import { checkKind, FileFormatError } from "../../base/index.js";
import { scope, type Tensor, tensor } from "../../engine/index.js";
import type { SafetensorsTensor } from "../../files/index.js";
import { loadState, Module } from "../../nn/index.js";
import { readSealed, writeSealed } from "./sealed-file.js";

/** Types of weights that a file holds as float32, which has all their values. */
const kept: readonly string[] = ["float32", "float16", "bfloat16"];

/** Tensor as a file holds it, in float32. */
export function plain(value: Tensor): SafetensorsTensor {
  if (!kept.includes(value.dtype)) throw new TypeError(`weights must be float32, not ${value.dtype}`);
  return { dtype: "float32", shape: [...value.shape], data: value.toArray() as Float32Array };
}

function checkWeightsFile(path: string, module: Module): void {
  checkKind("path", path, "the path of a file of weights", typeof path === "string");
  checkKind(
    "module",
    module,
    "a Module, such as small().build({ seed: 0 }).module",
    module instanceof Module,
  );
}

/**
 * Writes a module's weights as safetensors: float32, PyTorch's names and layouts.
 *
 * @example saveWeights("weights.safetensors", model.module)
 */
export function saveWeights(path: string, module: Module, metadata: Record<string, string> = {}): void {
  checkWeightsFile(path, module);
  writeSealed(
    path,
    [...module.state()].map(([name, value]) => [name, plain(value)] as const),
    metadata,
  );
}

/** Tensors of a file, which must be float32. */
export function toTensors(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      if (dtype !== "float32")
        throw new FileFormatError(`${path}: tensor "${name}" must be float32, not ${dtype}`);
      return [name, tensor(data, shape)];
    }),
  );
}

/** Tensor of a file of weights; bfloat16 becomes the float32 of the same value. */
function widened(value: SafetensorsTensor): SafetensorsTensor {
  if (value.dtype !== "bfloat16") return value;
  const data = new Float32Array(Uint32Array.from(value.data, (bits) => bits << 16).buffer);
  return { dtype: "float32", shape: value.shape, data };
}

/**
 * Reads weights, float32 or bfloat16, into a module.
 *
 * @throws FileFormatError that names the file, when a name or a shape does not fit, or the file was damaged
 */
export function loadWeights(path: string, module: Module): void {
  checkWeightsFile(path, module);
  const { tensors: stored } = readSealed(path);
  const tensors = new Map([...stored].map(([name, value]) => [name, widened(value)]));
  // PyTorch's batch normalization counts its batches; nothing here depends on the count.
  for (const name of tensors.keys()) if (name.endsWith("num_batches_tracked")) tensors.delete(name);
  scope(() => {
    try {
      loadState(module, toTensors(path, tensors));
    } catch (error) {
      if (error instanceof RangeError)
        throw new FileFormatError(`${path}: ${error.message}`, { cause: error });
      throw error;
    }
  });
}
