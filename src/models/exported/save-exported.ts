import { writeNewFile } from "../../base/index.js";
import { bytesOfTensor, type DType, scope, type Tensor } from "../../engine/index.js";
import { readPt2, rewrittenPt2 } from "../../files/index.js";
import type { Model } from "../model.js";
import { fieldOf, GraphModule } from "./graph-module.js";

/** Elements of a tensor as bytes, row-major, of a type. */
function bytesOf(value: Tensor, type: DType): Uint8Array {
  return scope(() => bytesOfTensor(value.detach().to({ dtype: type, device: "cpu" })));
}

/**
 * Writes a copy of an exported model's file with the weights of a model that was made of it, such as a
 * trained one. `torch.export.load` opens it as it does the original. Defenses are not in it, nor is the
 * normalization that was given beside the file.
 *
 * @param from the .pt2 file that the model was made of
 * @throws TypeError for a model of another kind, RangeError for one of another file
 * @example
 * saveExported("model.pt2", trained, "hardened.pt2");
 */
export function saveExported(
  from: string,
  model: Model,
  to: string,
  options: { readonly replace?: boolean } = {},
): void {
  const { module } = model;
  if (!(module instanceof GraphModule))
    throw new TypeError(`model ${model.name} was not made of an exported file, such as model.pt2`);
  const file = readPt2(from);
  const state = module.state();
  const values = new Map<string, Uint8Array>();
  for (const { name } of module.graph.weights) {
    const [stored, value] = [file.weights.get(name), state.get(fieldOf(name))];
    if (stored !== undefined && value !== undefined) values.set(name, bytesOf(value, stored.type));
  }
  writeNewFile(to, rewrittenPt2(file, values), options);
}
