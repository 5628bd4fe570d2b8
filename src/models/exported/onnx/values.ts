import { countText, sizeOf } from "../../../base/index.js";
import { type DType, keep, type Tensor, tensor, tensorOfBytes } from "../../../engine/index.js";
import { type OnnxElements, onnxType, storedTypes } from "../../../files/index.js";
import type { NodeView } from "./node.js";

const read = new WeakMap<Tensor, readonly number[]>();

/** Numbers of a small tensor, such as axes or a shape: read once of each tensor. */
export function numbersOf(values: Tensor): readonly number[] {
  let numbers = read.get(values);
  if (numbers === undefined) {
    numbers = values.detach().toNumbers();
    read.set(values, numbers);
  }
  return numbers;
}

/** The one number of a tensor. */
export function numberOf(node: NodeView, name: string, values: Tensor): number {
  const numbers = numbersOf(values);
  if (numbers.length !== 1) throw node.refuse(`${name} must be one number, not ${numbers.length}`);
  return numbers[0]!;
}

/** An int64 tensor of one axis on the CPU; limits such as "to the end" may have been rounded to 2^63. */
export function intTensor(numbers: readonly number[]): Tensor {
  return tensor(
    BigInt64Array.from(numbers, (value) => (value >= 2 ** 63 ? lastInt : BigInt(Math.trunc(value)))),
  );
}

const lastInt = 2n ** 63n - 1n;

/** The tensor of elements out of a file; it lives until it is disposed. */
export function tensorOf({ data, shape, stored }: OnnxElements): Tensor {
  return keep(tensorOfBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), shape, stored));
}

/** Axes counted from the front, each once. */
export function axesOf(node: NodeView, axes: readonly number[], rank: number): number[] {
  const counted = axes.map((axis) => axisOf(node, axis, rank));
  if (new Set(counted).size < counted.length) throw node.refuse(`axes [${axes.join(", ")}] name one twice`);
  return counted;
}

/** An axis counted from the front. */
export function axisOf(node: NodeView, axis: number, rank: number): number {
  const fits = Number.isInteger(axis) && axis >= -rank && axis < rank;
  if (!fits) throw node.refuse(`axis ${axis} is not one of ${countText(rank, "axis", "axes")}`);
  return axis < 0 ? axis + rank : axis;
}

/** Axes of images' sides: those behind the batch and the channels. */
export function sideAxes(shape: readonly number[]): number[] {
  return shape.map((_, axis) => axis).slice(2);
}

/** Tells whether a tensor holds floats, through which gradients go. */
export function isFloat(values: Tensor): boolean {
  return ["float32", "float64", "bfloat16", "float16"].includes(values.dtype);
}

/** Type in which a number of ONNX's element types is held. */
export function dtypeOf(node: NodeView, code: number): DType {
  const type = onnxType(code);
  if (type === undefined || type === "string") {
    throw node.refuse(`elements of ${type ?? `type number ${code}`} are not known here`);
  }
  return storedTypes[type];
}

/** Brings what was computed elsewhere, such as indices, to the device of the data. */
export function beside(data: Tensor, values: Tensor): Tensor {
  return values.device === data.device ? values : values.to({ device: data.device });
}

/** Elements that a range may have. */
export const mostElements = 2 ** 26;

/** Refuses a shape that is none, or larger than the world of the node allows. */
export function checkedShape(node: NodeView, shape: readonly number[]): readonly number[] {
  const fits = shape.length <= 16 && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  const size = sizeOf(shape);
  if (!fits || size > node.world.mostElements) {
    const shown = shape.slice(0, 20).join(", ");
    throw node.refuse(`a value of shape [${shown}] is none, or over ${node.world.mostElements} elements`);
  }
  return shape;
}

/** Refuses shapes whose broadcast is too large; those that do not fit each other are left to libtorch. */
export function checkBroadcast(node: NodeView, a: readonly number[], b: readonly number[]): void {
  const rank = Math.max(a.length, b.length);
  const side = (shape: readonly number[], at: number) => shape[at - rank + shape.length] ?? 1;
  checkedShape(
    node,
    Array.from({ length: rank }, (_, at) => Math.max(side(a, at), side(b, at))),
  );
}
