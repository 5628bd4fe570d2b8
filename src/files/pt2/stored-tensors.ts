import { shownName } from "../../base/index.js";
import { type DType, elementBytes } from "../../engine/index.js";
import { elementCount } from "../safetensors-header.js";
import { sizeAt } from "./arguments.js";
import { elementTypeAt } from "./element-types.js";
import { listAt, nameAt, objectAt, Pt2Problem } from "./fields.js";

/** Tensor of an archive: a view with strides into a file, checked to lie inside. */
export interface Pt2Tensor {
  readonly type: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** First element, counted in elements. */
  readonly offset: number;
  /** Bytes of the file, which tied weights share. */
  readonly bytes: Uint8Array;
  /** Name of the file in the archive. */
  readonly file: string;
}

/** libtorch takes no more axes in most operators. */
const mostAxes = 64;
/** Elements of one view, which may repeat those of its file. */
const mostElements = 2 ** 31;

/** List of whole numbers of at least 0 that no graph computes. */
function countsAt(value: unknown, place: string): number[] {
  return listAt(value, place, mostAxes).map((item, i) => {
    const size = sizeAt(item, `${place}[${i}]`);
    if (typeof size === "number" && Number.isInteger(size) && size >= 0) return size;
    throw new Pt2Problem(`${place}[${i}] is no size`);
  });
}

/** Weights may share files; many times is a bomb. */
const mostTimesRead = 16;
const alwaysRead = 2 ** 26;

/** Elements from a tensor's first to its last in its file. */
function span({ shape, strides }: Pick<Pt2Tensor, "shape" | "strides">): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis]!, 1);
}

/**
 * Bytes from a tensor's first element to its last, and no others of its file. Booleans are 0 and 1: libtorch
 * counts on there being no others.
 */
export function spannedBytes(tensor: Pt2Tensor): Uint8Array {
  const { type, offset, bytes } = tensor;
  const size = elementBytes[type];
  const part = bytes.subarray(offset * size, (offset + span(tensor)) * size);
  return type === "bool" ? part.map((byte) => (byte === 0 ? 0 : 1)) : part;
}

/** Throws where tensors would take far more memory than the files that they lie in. */
export function checkSpans(tensors: readonly Pt2Tensor[], files: ReadonlyMap<string, Uint8Array>): void {
  const held = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  const limit = Math.max(alwaysRead, mostTimesRead * held);
  const wanted = tensors.reduce((sum, tensor) => sum + span(tensor) * elementBytes[tensor.type], 0);
  if (wanted <= limit) return;
  throw new Pt2Problem(
    `its ${tensors.length} tensors take ${wanted} bytes, out of ${held}: too many share files`,
  );
}

/** Reads where a tensor lies, and checks that it lies within its file. */
function tensorAt(value: unknown, place: string, folder: string, files: ReadonlyMap<string, Uint8Array>) {
  const { path_name, use_pickle, tensor_meta } = objectAt(value, place);
  if (use_pickle !== false) {
    throw new Pt2Problem(`${place} is a pickle (a tensor subclass or an object), which is never read`);
  }
  const file = `${folder}${nameAt(path_name, `${place}.path_name`)}`;
  const bytes = files.get(file);
  if (bytes === undefined)
    throw new Pt2Problem(`${place} lies in "${shownName(file)}", which the archive lacks`);
  const { dtype, sizes, strides: steps, storage_offset } = objectAt(tensor_meta, `${place}.tensor_meta`);
  const type = elementTypeAt(dtype, place);
  const shape = countsAt(sizes, `${place}.sizes`);
  const strides = countsAt(steps, `${place}.strides`);
  const [offset] = countsAt([storage_offset], `${place}.storage_offset`) as [number];
  const held = Math.floor(bytes.length / elementBytes[type]);
  const count = elementCount(shape);
  const shown = `${place} of shape [${shape}] with strides [${strides}] at ${offset}`;
  if (strides.length !== shape.length) throw new Pt2Problem(`${shown} has not one stride for each axis`);
  if (count === undefined || count > mostElements) throw new Pt2Problem(`${shown} has too many elements`);
  if (count > 0 && !(offset + span({ shape, strides }) <= held))
    throw new Pt2Problem(`${shown} ends behind the ${held} elements of its file`);
  return { type, shape, strides, offset: count === 0 ? 0 : offset, bytes, file };
}

/** Reads a list of tensors by name, such as `model_weights_config.json` has. */
export function storedTensors(
  config: unknown,
  place: string,
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, Pt2Tensor> {
  const entries = Object.entries(objectAt(objectAt(config, place).config, `${place}.config`));
  listAt(entries, place);
  return new Map(
    entries.map(([name, value]) => [
      nameAt(name, place),
      tensorAt(value, `${place}: "${shownName(name)}"`, folder, files),
    ]),
  );
}
