import { sizeOf } from "../../base/index.js";
import { elementBytes } from "../../engine/index.js";
import { encodeStoredZip } from "../archives/zip-writer.js";
import type { Pt2File } from "./archive.js";
import type { Pt2Tensor } from "./stored-tensors.js";

/** Writes elements in row-major order to where a tensor has them, by its strides. */
function writeElements(
  to: Uint8Array,
  { type, shape, strides, offset }: Pt2Tensor,
  elements: Uint8Array,
): void {
  const size = elementBytes[type];
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let from = 0; from < elements.length; from += size) {
    to.set(elements.subarray(from, from + size), at * size);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      at += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      at -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
}

/**
 * Copy of a .pt2 archive with other weights, which `torch.export.load` opens as it does the original.
 *
 * @param values elements of weights and buffers by name, in row-major order and of the types that the file
 *   has; those that are left out stay
 * @throws RangeError for a name that the file does not have, or elements that are not as many
 */
export function rewrittenPt2(
  { weights, files }: Pt2File,
  values: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const changed = new Map([...files].map(([name, bytes]) => [name, bytes]));
  const copied = new Set<string>();
  for (const [name, elements] of values) {
    const stored = weights.get(name);
    if (stored === undefined) throw new RangeError(`the file has no weight "${name}"`);
    const wanted = sizeOf(stored.shape) * elementBytes[stored.type];
    if (elements.length !== wanted)
      throw new RangeError(`weight "${name}" has ${wanted} bytes in the file, given ${elements.length}`);
    if (!copied.has(stored.file)) changed.set(stored.file, Uint8Array.from(changed.get(stored.file)!));
    copied.add(stored.file);
    writeElements(changed.get(stored.file)!, stored, elements);
  }
  return encodeStoredZip(changed);
}
