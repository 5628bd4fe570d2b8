import type { DType } from "../../engine/index.js";
import { elementTypeAt } from "./element-types.js";
import { choiceAt, listAt, nameAt, numberAt, objectAt, Pt2Problem, wholeAt } from "./fields.js";

/** Number of an exported program, or the name of one that the graph computes. */
export type Pt2Size = number | { readonly symbol: string };

/** Argument of a node. */
export type Pt2Argument =
  | { readonly kind: "none" }
  | { readonly kind: "tensor"; readonly name: string }
  /** Null where an optional one is left out. */
  | { readonly kind: "tensors"; readonly names: readonly (string | null)[] }
  | { readonly kind: "number"; readonly value: Pt2Size; readonly isFloat: boolean }
  | { readonly kind: "numbers"; readonly values: readonly Pt2Size[]; readonly isFloat: boolean }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "bools"; readonly values: readonly boolean[] }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "type"; readonly value: DType }
  | { readonly kind: "memory-format"; readonly value: number }
  | { readonly kind: "device" }
  | { readonly kind: "layout" }
  /** Of a kind that no operator here takes, such as a graph. */
  | { readonly kind: "other"; readonly of: string };

/** libtorch's memory formats by the numbers of the format: contiguous, channels-last, 3-d, preserve. */
const memoryFormats: ReadonlyMap<number, number> = new Map([
  [1, 0],
  [2, 2],
  [3, 3],
  [4, 1],
]);
/** The number of layouts that are not sparse. */
const strided = 7;

/** Name in an object that holds a tensor's name. */
export function tensorNameAt(value: unknown, place: string): string {
  return nameAt(objectAt(value, place).name, `${place}.name`);
}

/** Number, or symbol, of an argument that may be either. */
export function sizeAt(value: unknown, place: string): Pt2Size {
  const [key, content] = choiceAt(value, place);
  if (key === "as_int") return wholeAt(content, place);
  if (key === "as_float") return numberAt(content, place);
  if (key === "as_name") return { symbol: nameAt(content, place) };
  throw new Pt2Problem(`${place} is no number`);
}

const boolAt = (value: unknown, place: string): boolean => {
  if (typeof value === "boolean") return value;
  throw new Pt2Problem(`${place} is neither true nor false`);
};

/** Reads an element of each entry of a list. */
function each<T>(value: unknown, place: string, read: (item: unknown, place: string) => T): T[] {
  return listAt(value, place).map((item, i) => read(item, `${place}[${i}]`));
}

function optionalTensorAt(value: unknown, place: string): string | null {
  const [key, content] = choiceAt(value, place);
  return key === "as_none" ? null : tensorNameAt(content, place);
}

const readers: Readonly<Record<string, (content: unknown, place: string) => Pt2Argument>> = {
  as_none: () => ({ kind: "none" }),
  as_tensor: (content, place) => ({ kind: "tensor", name: tensorNameAt(content, place) }),
  as_tensors: (content, place) => ({ kind: "tensors", names: each(content, place, tensorNameAt) }),
  as_optional_tensor: (content, place) => {
    const name = optionalTensorAt(content, place);
    return name === null ? { kind: "none" } : { kind: "tensor", name };
  },
  as_optional_tensors: (content, place) => ({
    kind: "tensors",
    names: each(content, place, optionalTensorAt),
  }),
  as_int: (content, place) => ({ kind: "number", value: wholeAt(content, place), isFloat: false }),
  as_ints: (content, place) => ({ kind: "numbers", values: each(content, place, wholeAt), isFloat: false }),
  as_float: (content, place) => ({ kind: "number", value: numberAt(content, place), isFloat: true }),
  as_floats: (content, place) => ({ kind: "numbers", values: each(content, place, numberAt), isFloat: true }),
  as_sym_int: (content, place) => ({ kind: "number", value: sizeAt(content, place), isFloat: false }),
  as_sym_ints: (content, place) => ({
    kind: "numbers",
    values: each(content, place, sizeAt),
    isFloat: false,
  }),
  as_sym_float: (content, place) => ({ kind: "number", value: sizeAt(content, place), isFloat: true }),
  as_bool: (content, place) => ({ kind: "bool", value: boolAt(content, place) }),
  as_bools: (content, place) => ({ kind: "bools", values: each(content, place, boolAt) }),
  as_string: (content, place) => ({ kind: "text", value: nameAt(content, place) }),
  as_scalar_type: (content, place) => ({ kind: "type", value: elementTypeAt(content, place) }),
  as_memory_format(content, place) {
    const value = memoryFormats.get(wholeAt(content, place));
    if (value !== undefined) return { kind: "memory-format", value };
    throw new Pt2Problem(`${place} is an unknown memory format`);
  },
  as_device: () => ({ kind: "device" }),
  as_layout(content, place) {
    if (content === strided) return { kind: "layout" };
    throw new Pt2Problem(`${place} is a layout of sparse tensors, which are not read`);
  },
};

/** Argument at a place of the JSON. */
export function argumentAt(value: unknown, place: string): Pt2Argument {
  const [key, content] = choiceAt(value, place);
  const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
  return reader === undefined ? { kind: "other", of: key } : reader(content, place);
}
