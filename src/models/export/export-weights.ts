import { checkKind, writeNewFile } from "../../base/index.js";
import { scope, type Tensor } from "../../engine/index.js";
import { encodeSafetensors, type SafetensorsTensor } from "../../files/index.js";
import { exportedState } from "../exported/save-exported.js";
import { isModel, type Model } from "../model.js";

/** Choices for weights that are written. */
export interface ExportWeightsOptions {
  /** The .pt2 file that the model was made of, whose names and unused buffers the weights then have. */
  readonly from?: string | undefined;
  /** Replaces the file that is there; false where left out. */
  readonly replace?: boolean | undefined;
}

/**
 * Writes a model's weights as a state dict in safetensors: floats as float32, whole numbers as int64. Names
 * are PyTorch's for the architectures of the package, and the original ones for a model out of a file.
 *
 * @param path of the file, which is not replaced
 * @example
 * exportWeights(model, "weights.safetensors");
 * // Python: module.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
 */
export function exportWeights(model: Model, path: string, options: ExportWeightsOptions = {}): void {
  checkKind("model", model, "a model, such as small().build({ seed: 0 })", isModel(model));
  checkKind("path", path, "the path of a file such as weights.safetensors", typeof path === "string");
  const { from, replace = false } = options;
  const tensors = scope(() => {
    const state = from === undefined ? model.module.state() : exportedState(from, model);
    return [...state].map(([name, value]) => [name, stored(value)] as const);
  });
  writeNewFile(path, encodeSafetensors(tensors), { replace });
}

/** A tensor as the file holds it. */
function stored(value: Tensor): SafetensorsTensor {
  const shape = [...value.shape];
  const dtype = /float/.test(value.dtype) ? "float32" : "int64";
  const data = value.detach().to({ dtype, device: "cpu" }).toArray();
  return dtype === "float32"
    ? { dtype, shape, data: data as Float32Array }
    : { dtype, shape, data: data as BigInt64Array };
}
