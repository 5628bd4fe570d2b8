/** Element types of ONNX by their numbers, as far as they are known here. */
export const onnxTypes = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  16: "bfloat16",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
} as const;

export type OnnxType = (typeof onnxTypes)[keyof typeof onnxTypes];

/** The type of a number out of a file; undefined for one that is not read here, such as complex numbers. */
export function onnxType(code: number): OnnxType | undefined {
  return Object.hasOwn(onnxTypes, code) ? onnxTypes[code as keyof typeof onnxTypes] : undefined;
}

/** A tensor as a file holds it. The bytes are a view of the file; nothing of them was looked at yet. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of the element type. */
  readonly type: number;
  /** Little-endian elements. */
  readonly raw?: Uint8Array;
  /** Pieces of packed numbers, in the field that the element type has. */
  readonly typed?: { readonly field: "float" | "int32" | "int64" | "double"; readonly pieces: Uint8Array[] };
  /** Keys and values that say where the elements lie outside of the file. */
  readonly external?: ReadonlyMap<string, string>;
  /** Texts of a tensor of strings, which is only counted. */
  readonly strings: number;
}

/** Value of an attribute. A graph (of `If` and `Loop`) is there to be named in a refusal. */
export type OnnxAttribute =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: OnnxTensor }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "other"; readonly value: undefined };

/** Application of an operator. An input's name is empty where it is left out. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** Input or output of a graph; a side is a number, or a name where it is free. */
export interface OnnxValue {
  readonly name: string;
  /** Number of the element type; undefined where it is no tensor. */
  readonly type: number | undefined;
  readonly shape: readonly (number | string)[] | undefined;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Model as a file says it: checked one by one, not yet against each other. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Versions of operator sets by domain; that of ONNX itself is named by the empty text. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** Names of functions that the file defines itself, as `domain.name`. */
  readonly functions: readonly string[];
}
