/**
 * A type of elements as files store them: its size, and how one is read; integers become int64, all else
 * float32.
 */
export interface ElementType {
  readonly name: string;
  readonly bytes: number;
  readonly integer: boolean;
  read(view: DataView, at: number): number | bigint;
}

/** The float of 16 bits with 5 of exponent. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));
/** The float of 16 bits that is a float32's upper half. */
function brain(bits: number): number {
  word.setUint32(0, bits * 0x10000);
  return word.getFloat32(0);
}

const float = (name: string, bytes: number, read: ElementType["read"]): ElementType => ({
  name,
  bytes,
  integer: false,
  read,
});
const integer = (name: string, bytes: number, read: ElementType["read"]): ElementType => ({
  name,
  bytes,
  integer: true,
  read,
});

/** Element types by the names that PyTorch gives them; little-endian. */
export const elementTypes = {
  float32: float("float32", 4, (view, at) => view.getFloat32(at, true)),
  float64: float("float64", 8, (view, at) => view.getFloat64(at, true)),
  float16: float("float16", 2, (view, at) => half(view.getUint16(at, true))),
  bfloat16: float("bfloat16", 2, (view, at) => brain(view.getUint16(at, true))),
  int64: integer("int64", 8, (view, at) => view.getBigInt64(at, true)),
  int32: integer("int32", 4, (view, at) => BigInt(view.getInt32(at, true))),
  int16: integer("int16", 2, (view, at) => BigInt(view.getInt16(at, true))),
  int8: integer("int8", 1, (view, at) => BigInt(view.getInt8(at))),
  uint32: integer("uint32", 4, (view, at) => BigInt(view.getUint32(at, true))),
  uint16: integer("uint16", 2, (view, at) => BigInt(view.getUint16(at, true))),
  uint8: integer("uint8", 1, (view, at) => BigInt(view.getUint8(at))),
  bool: integer("bool", 1, (view, at) => BigInt(view.getUint8(at) !== 0)),
} as const;
