import { FileFormatError, shownName, sizeOf } from "../../base/index.js";
import type { ByteSource } from "../byte-source.js";

/** Types of elements that are read, by NumPy's letters: little-endian, but for single bytes. */
const elementBytes = {
  "|u1": 1,
  "|b1": 1,
  "|i1": 1,
  "<i2": 2,
  "<u2": 2,
  "<i4": 4,
  "<u4": 4,
  "<i8": 8,
  "<u8": 8,
  "<f2": 2,
  "<f4": 4,
  "<f8": 8,
} as const;
export type NpyType = keyof typeof elementBytes;

/** Array of a `.npy` file: what its header says, and its elements, row-major. */
export interface NpyArray {
  /** Name in errors. */
  readonly name: string;
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Bytes of an element. */
  readonly elementBytes: number;
  /** Bytes of `count` elements from `first` on. */
  read(first: number, count: number): Uint8Array;
}

const magic = "\x93NUMPY";
/** Longest header that is read; NumPy's own are of 128 bytes. */
const mostHeaderBytes = 2 ** 16;
const mostAxes = 32;

/**
 * Opens the array of a `.npy` file, whose elements are read in parts.
 *
 * Throws a FileFormatError, which begins with the source's name, for anything but a whole array of numbers in
 * C order, of exactly its length. Source: NumPy's description of the format, versions 1.0 to 3.0.
 */
export function openNpy(source: ByteSource): NpyArray {
  const { name } = source;
  const refuse = (problem: string) => new FileFormatError(`${name}: ${problem}`);
  const start = source.read(0, Math.min(12, source.size));
  if (Buffer.from(start.subarray(0, 6)).toString("latin1") !== magic)
    throw refuse("not a .npy array: it does not begin with \\x93NUMPY");
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const major = start[6];
  if (start.length < 12 || !(major === 1 || major === 2 || major === 3))
    throw refuse(`version ${major} of the .npy format is not read; 1 to 3 are`);
  const [length, begin] = major === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > mostHeaderBytes) throw refuse(`its header claims ${length} bytes, over ${mostHeaderBytes}`);
  const header = Buffer.from(source.read(begin, length)).toString("latin1");
  const { type, shape, fortranOrder } = parseHeader(header, refuse);
  if (fortranOrder && shape.filter((side) => side !== 1).length > 1) {
    throw refuse("it is in Fortran order; save numpy.ascontiguousarray(array)");
  }
  const size = sizeOf(shape);
  const bytes = elementBytes[type];
  const found = source.size - begin - length;
  if (size * bytes !== found) {
    const kind = found < size * bytes ? "truncated" : "too long";
    throw refuse(
      `${kind}: shape [${shape.join(", ")}] of ${type} takes ${size * bytes} bytes, found ${found}`,
    );
  }
  return {
    name,
    type,
    shape,
    size,
    elementBytes: bytes,
    read: (first, count) => source.read(begin + length + first * bytes, count * bytes),
  };
}

function parseHeader(header: string, refuse: (problem: string) => Error) {
  const shown = shownName(header.trim());
  // No part can match in two ways, so that no header takes long.
  const literal =
    /^\{'descr': *'([^']{2,40})', *'fortran_order': *(True|False), *'shape': *\(([\d ,L]*)\) *,? *\}\s*$/;
  const found = literal.exec(header);
  if (/'descr': *('\|O|\[)/.test(header))
    throw refuse("it holds Python objects or records: save an array of numbers");
  if (found === null) throw refuse(`its header cannot be read: ${shown}`);
  const [, descr, order, sides] = found;
  const plain = descr!.replace(/^=/, "<").replace(/^<(?=[uib]1)/, "|");
  if (!(plain in elementBytes)) {
    const accepted = "integers, and floats of 16, 32 or 64 bits, little-endian";
    const hint = /^.[US]/.test(descr!) ? "; numpy.unique(array, return_inverse=True) numbers texts" : "";
    throw refuse(`elements of type ${shownName(descr!)} are not read; ${accepted} are${hint}`);
  }
  const written = sides!.split(",").map((side) => side.trim());
  if (written.at(-1) === "") written.pop();
  if (!written.every((side) => /^\d{1,16}L?$/.test(side)))
    throw refuse(`its header cannot be read: ${shown}`);
  const shape = written.map((side) => Number(side.replace("L", "")));
  const whole = sizeOf(shape);
  if (shape.length > mostAxes || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(whole * 8))
    throw refuse(`its shape cannot be: (${shownName(sides!)})`);
  return { type: plain as NpyType, shape, fortranOrder: order === "True" };
}

/** Elements of a small array as numbers; 64-bit integers beyond 2^53 lose precision. */
export function npyNumbers(array: NpyArray, first = 0, count = array.size): Float64Array {
  const bytes = array.read(first, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const read = readers[array.type];
  return Float64Array.from({ length: count }, (_, i) => read(view, i * array.elementBytes));
}

const readers: Readonly<Record<NpyType, (view: DataView, at: number) => number>> = {
  "|u1": (view, at) => view.getUint8(at),
  "|b1": (view, at) => view.getUint8(at),
  "|i1": (view, at) => view.getInt8(at),
  "<i2": (view, at) => view.getInt16(at, true),
  "<u2": (view, at) => view.getUint16(at, true),
  "<i4": (view, at) => view.getInt32(at, true),
  "<u4": (view, at) => view.getUint32(at, true),
  "<i8": (view, at) => Number(view.getBigInt64(at, true)),
  "<u8": (view, at) => Number(view.getBigUint64(at, true)),
  "<f2": (view, at) => halfFloat(view.getUint16(at, true)),
  "<f4": (view, at) => view.getFloat32(at, true),
  "<f8": (view, at) => view.getFloat64(at, true),
};

/** Value of an IEEE 754 half. */
function halfFloat(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}
