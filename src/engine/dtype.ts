/** Element types and the numbers by which libtorch knows them (c10::ScalarType). */
const scalarTypes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const;

export type DType = keyof typeof scalarTypes;
export const dtypes = Object.keys(scalarTypes) as DType[];

/** Memory layouts of (N, C, H, W) tensors (c10::MemoryFormat). */
const memoryFormats = { contiguous: 0, preserve: 1, channelsLast: 2 } as const;
export type MemoryFormat = keyof typeof memoryFormats;

export type TypedArray = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

/** The typed array that holds a dtype's elements. */
export const arrayTypes = {
  uint8: Uint8Array,
  bool: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Bytes of an element. */
export const elementBytes: Readonly<Record<DType, number>> = {
  uint8: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  bool: 1,
  bfloat16: 2,
};

/** Types that elements of other types are widened to before they are read: exactly, each of them. */
export const readAs = { int8: "int32", int16: "int32", float16: "float32", bfloat16: "float32" } as const;

/** Tells whether elements of a dtype are read and written by a typed array of their own. */
export function hasArray(dtype: DType): dtype is keyof typeof arrayTypes {
  return Object.hasOwn(arrayTypes, dtype);
}

/** libtorch's number of a dtype; undefined stays undefined, which is an operator's default. */
export function scalarType(dtype: DType): number;
export function scalarType(dtype: DType | undefined): number | undefined;
export function scalarType(dtype: DType | undefined): number | undefined {
  if (dtype === undefined) return undefined;
  const code = scalarTypes[dtype];
  if (!Object.hasOwn(scalarTypes, dtype))
    throw new RangeError(`dtype must be one of ${dtypes.join(", ")}, not ${String(dtype)}`);
  return code;
}

/** The dtype of a libtorch number. */
export function dtypeOf(code: number): DType {
  const found = dtypes.find((dtype) => scalarTypes[dtype] === code);
  if (found === undefined)
    throw new RangeError(`libtorch's scalar type ${code} has no dtype here: ${dtypes.join(", ")}`);
  return found;
}

/** libtorch's number of a memory format; undefined stays undefined. */
export function memoryFormatCode(format: MemoryFormat | undefined): number | undefined {
  if (format === undefined) return undefined;
  if (!Object.hasOwn(memoryFormats, format)) {
    throw new RangeError(
      `memory format must be one of ${Object.keys(memoryFormats).join(", ")}, not ${String(format)}`,
    );
  }
  return memoryFormats[format];
}

/** The dtype that a typed array holds. */
export function dtypeOfArray(array: TypedArray): DType {
  if (array instanceof Uint8Array) return "uint8";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof BigInt64Array) return "int64";
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  throw new TypeError("data must be a Uint8Array, Int32Array, BigInt64Array, Float32Array or Float64Array");
}
