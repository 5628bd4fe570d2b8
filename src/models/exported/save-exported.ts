import { writeNewFile } from "../../base/index.js";
import { bytesOfTensor, type DType, scope, type Tensor } from "../../engine/index.js";
import { type Pt2File, readPt2, readStoredZip, rewrittenPt2 } from "../../files/index.js";
import type { Model } from "../model.js";
import { tensorOf } from "./aten/pt2-graph.js";
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
  writeNewFile(to, rewritten(from, model).bytes, options);
}

/**
 * State dict of an exported model with the weights of a model that was made of it: every weight and buffer of
 * the file by its name there, also those that no pixel reaches. Each is a new tensor.
 *
 * @param from the .pt2 file that the model was made of
 * @throws TypeError for a model of another kind, RangeError for one of another file
 */
export function exportedState(from: string, model: Model): Map<string, Tensor> {
  const { file, bytes } = rewritten(from, model);
  const files = readStoredZip(bytes, from);
  // Read back out of the copy: weights may be views of one file.
  return new Map(
    [...file.weights].map(([name, stored]) => [
      name,
      tensorOf({ ...stored, bytes: files.get(stored.file)! }),
    ]),
  );
}

function rewritten(from: string, { name, module }: Model): { file: Pt2File; bytes: Uint8Array } {
  if (!(module instanceof GraphModule))
    throw new TypeError(`model ${name} was not made of an exported file, such as model.pt2`);
  const file = readPt2(from);
  const state = module.state();
  const values = new Map<string, Uint8Array>();
  for (const { name } of module.graph.weights) {
    const [stored, value] = [file.weights.get(name), state.get(fieldOf(name))];
    if (stored !== undefined && value !== undefined) values.set(name, bytesOf(value, stored.type));
  }
  return { file, bytes: rewrittenPt2(file, values) };
}
