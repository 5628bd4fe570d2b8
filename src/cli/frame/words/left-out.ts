import type { Model } from "../../../models/index.js";
import { Normalize } from "../../../nn/index.js";
import { note } from "../output.js";

/**
 * Says what of a model a file of its weights, or a copy of its .pt2 file, does not have.
 *
 * @param whole where the model is with its defenses; left out where that is nowhere
 */
export function noteLeftOut({ defenses, module }: Model, whole?: string): void {
  if (defenses.length > 0) {
    const where = whole === undefined ? "" : `; with them the model is ${whole}`;
    note(`defenses are not in the file: ${defenses.map(String).join(", ")}${where}`);
  }
  if (module.inputTransforms.some((transform) => transform instanceof Normalize))
    note("normalization is not in the file: images for it are to be normalized before");
}
