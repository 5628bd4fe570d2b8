import { FileFormatError, shownName, sizeOf } from "../../base/index.js";
import { type ElementType, elementTypes } from "../element-types.js";
import { float8Types, halvesOf } from "./narrow-types.js";
import { type OnnxTensor, type OnnxType, onnxType } from "./proto.js";

/**
 * Types in which elements are held in memory: narrow integers become wider ones, and floats of 8 and 16 bits
 * float32, without loss.
 */
export const storedTypes = {
  float32: "float32",
  float16: "float32",
  bfloat16: "float32",
  float8e4m3fn: "float32",
  float8e4m3fnuz: "float32",
  float8e5m2: "float32",
  float8e5m2fnuz: "float32",
  float64: "float64",
  uint4: "uint8",
  int4: "int8",
  uint8: "uint8",
  int8: "int8",
  bool: "bool",
  uint16: "int32",
  int16: "int32",
  int32: "int32",
  uint32: "int64",
  int64: "int64",
  uint64: "int64",
} as const;

export type StoredType = (typeof storedTypes)[keyof typeof storedTypes];

/** The elements of a tensor, row-major. */
export interface OnnxElements {
  /** The type that the file says. */
  readonly type: OnnxType;
  readonly stored: StoredType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;
}

/** Number of the type uint8, of which one holds two elements of 4 bits. */
const codeOfBytes = 2;

/** Elements of tensors that are written number by number: each takes up to eight times its bytes. */
const mostTyped = 2 ** 24;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
} as const;

/** Types of which an element takes bytes of its own; those of 4 bits share them. */
type WholeType = Exclude<keyof typeof storedTypes, "uint4" | "int4">;

/** Readers of elements in raw bytes; 64 bits without a sign are read as the same bits with one. */
const readers: Readonly<Record<WholeType, ElementType>> = {
  ...elementTypes,
  ...float8Types,
  uint64: elementTypes.int64,
};

/** The field of numbers that a type belongs to. */
const fieldOf: Readonly<Record<WholeType, string>> = {
  float32: "float",
  float64: "double",
  int64: "int64",
  uint64: "int64",
  uint32: "int64",
  float16: "int32",
  bfloat16: "int32",
  float8e4m3fn: "int32",
  float8e4m3fnuz: "int32",
  float8e5m2: "int32",
  float8e5m2fnuz: "int32",
  uint8: "int32",
  int8: "int32",
  bool: "int32",
  uint16: "int32",
  int16: "int32",
  int32: "int32",
};

/**
 * Elements of a tensor out of a file.
 *
 * @param external bytes of the file beside the model, where the elements lie there
 * @throws FileFormatError that begins with `file` and names the tensor
 */
export function elementsOf(tensor: OnnxTensor, file: string, external?: Uint8Array): OnnxElements {
  const refuse = (problem: string) =>
    new FileFormatError(`${file}: tensor "${shownName(tensor.name)}": ${problem}`);
  const type = onnxType(tensor.type);
  if (type === undefined || type === "string") {
    const name = type ?? `number ${tensor.type}`;
    throw refuse(`elements of type ${name} are not read; read: ${Object.keys(storedTypes).join(", ")}`);
  }
  const count = sizeOf(tensor.shape);
  if (!Number.isSafeInteger(count)) throw refuse(`shape [${tensor.shape.join(", ")}] is too large`);
  const sources = [tensor.raw, tensor.typed, external].filter((source) => source !== undefined);
  if (sources.length > 1) throw refuse("it holds its elements twice");
  const stored = storedTypes[type];
  const found = (data: OnnxElements["data"]): OnnxElements => ({ type, stored, shape: tensor.shape, data });
  if (type === "uint4" || type === "int4") {
    const packed = { ...tensor, type: codeOfBytes, shape: [Math.ceil(count / 2)] };
    return found(halvesOf(elementsOf(packed, file, external).data as Uint8Array, count, type));
  }
  if (tensor.typed !== undefined) {
    const { field, pieces } = tensor.typed;
    if (field !== fieldOf[type]) throw refuse(`${type} is not written in the field ${field}_data`);
    if (count > mostTyped) throw refuse(`${count} elements one by one, more than ${mostTyped}`);
    return found(typedElements(type, field, pieces, count, refuse));
  }
  const bytes = external ?? tensor.raw ?? new Uint8Array();
  const wanted = count * readers[type].bytes;
  if (bytes.length !== wanted) {
    throw refuse(
      `${type} of shape [${tensor.shape.join(", ")}] takes ${wanted} bytes, found ${bytes.length}`,
    );
  }
  return found(rawElements(type, bytes, count));
}

function rawElements(type: WholeType, bytes: Uint8Array, count: number): OnnxElements["data"] {
  const stored = storedTypes[type];
  const as = arrays[stored];
  const isSame = (stored === type || type === "uint64") && type !== "bool";
  if (isSame) {
    const aligned = bytes.byteOffset % as.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
    return new as(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { bytes: size, read } = readers[type];
  const data = new as(count);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * size);
    data[i] = stored === "int64" ? value : Number(value);
  }
  return data;
}

function typedElements(
  type: WholeType,
  field: "float" | "int32" | "int64" | "double",
  pieces: readonly Uint8Array[],
  count: number,
  refuse: (problem: string) => FileFormatError,
): OnnxElements["data"] {
  const stored = storedTypes[type];
  const data = new arrays[stored](count);
  let filled = 0;
  const push = (value: number | bigint) => {
    if (filled === count) throw refuse(`it has more elements than its shape, ${count}`);
    data[filled++] = stored === "int64" ? BigInt(value) : Number(value);
  };
  const bits = new DataView(new ArrayBuffer(8));
  for (const piece of pieces) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
    if (field === "float" || field === "double") {
      const size = field === "float" ? 4 : 8;
      if (piece.length % size !== 0) throw refuse("its elements end in the middle of one");
      for (let at = 0; at < piece.length; at += size) {
        push(field === "float" ? view.getFloat32(at, true) : view.getFloat64(at, true));
      }
      continue;
    }
    for (let at = 0; at < piece.length; ) {
      const [value, next] = varintAt(piece, at, refuse);
      at = next;
      // The bits of the element's own type, as `int32_data` holds those of floats of 16 bits too.
      bits.setBigUint64(0, value, true);
      push(type === "bool" ? (value === 0n ? 0 : 1) : readers[type].read(bits, 0));
    }
  }
  if (filled !== count) throw refuse(`it has ${filled} elements, its shape ${count}`);
  return data;
}

function varintAt(
  bytes: Uint8Array,
  start: number,
  refuse: (problem: string) => FileFormatError,
): [value: bigint, next: number] {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return [BigInt.asUintN(64, value), start + i + 1];
  }
  throw refuse("one of its integers has no end");
}
