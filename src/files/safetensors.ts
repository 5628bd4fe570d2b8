import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { FileFormatError, writeFileAtomic } from "../base/index.js";
import { remedyOf } from "./file-kind.js";
import {
  elementCount,
  type FileDtype,
  fileDtypes,
  type HeaderEntry,
  maxHeaderBytes,
  parseHeader,
} from "./safetensors-header.js";

/** A tensor as a file holds it, row-major; bfloat16 values are their 16 bits. */
export type SafetensorsTensor = { readonly shape: readonly number[] } & (
  | { readonly dtype: "float32"; readonly data: Float32Array }
  | { readonly dtype: "bfloat16"; readonly data: Uint16Array }
  | { readonly dtype: "int64"; readonly data: BigInt64Array }
);

export type SafetensorsFile = {
  readonly tensors: Map<string, SafetensorsTensor>;
  readonly metadata: Record<string, string>;
};

/** Source of bytes: `read` returns the bytes of a range that lies inside the size. */
type Source = {
  readonly file: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
};

function allocate(file: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch {
    throw new FileFormatError(`${file}: ${length} bytes of it do not fit into memory`);
  }
}

function fileSource(file: string, descriptor: number): Source {
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = allocate(file, length);
    let filled = 0;
    while (filled < length) {
      const got = readSync(descriptor, bytes, filled, Math.min(length - filled, 2 ** 30), offset + filled);
      if (got === 0) throw new FileFormatError(`${file}: became shorter while it was read`);
      filled += got;
    }
    return bytes;
  };
  return { file, size: fstatSync(descriptor).size, read };
}

function byteSource(bytes: Uint8Array): Source {
  return {
    file: "safetensors bytes",
    size: bytes.length,
    read: (at, length) => bytes.subarray(at, at + length),
  };
}

/** Elements of a type that has no array here: floats become float32, integers int64. */
function widened({ dtype, shape }: HeaderEntry, bytes: Uint8Array): SafetensorsTensor {
  const type = fileDtypes[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length / type.bytes;
  if (!type.integer) {
    const data = new Float32Array(count);
    for (let i = 0; i < count; i++) data[i] = type.read(view, i * type.bytes) as number;
    return { dtype: "float32", shape, data };
  }
  const data = new BigInt64Array(count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, i * type.bytes) as bigint;
  return { dtype: "int64", shape, data };
}

/** A typed array over the bytes: a view where they are aligned, else over a copy. */
function typed(entry: HeaderEntry, bytes: Uint8Array): SafetensorsTensor {
  const { dtype, shape } = entry;
  if (dtype !== "F32" && dtype !== "BF16" && dtype !== "I64") return widened(entry, bytes);
  const size = fileDtypes[dtype].bytes;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const view = [aligned.buffer, aligned.byteOffset, aligned.length / size] as const;
  if (dtype === "F32") return { dtype: "float32", shape, data: new Float32Array(...view) };
  if (dtype === "BF16") return { dtype: "bfloat16", shape, data: new Uint16Array(...view) };
  return { dtype: "int64", shape, data: new BigInt64Array(...view) };
}

function readFrom({ file, size, read }: Source): SafetensorsFile {
  if (size < 8)
    throw new FileFormatError(
      `${file}: ${size} bytes are too few for a safetensors file or a PyTorch checkpoint`,
    );
  const prefix = read(0, 8);
  const headerBytes = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  const dataStart = 8 + Number(headerBytes);
  const fits = headerBytes <= maxHeaderBytes && dataStart <= size;
  const remedy = fits ? undefined : remedyOf(read(0, Math.min(size, 16)), "safetensors");
  if (remedy !== undefined) throw new FileFormatError(`${file}: not a safetensors file; ${remedy}`);
  if (headerBytes > maxHeaderBytes) {
    throw new FileFormatError(
      `${file}: header length ${headerBytes} is over the limit of ${maxHeaderBytes} bytes: this is ` +
        "neither a safetensors file nor a PyTorch checkpoint",
    );
  }
  if (dataStart > size) {
    throw new FileFormatError(
      `${file}: header of ${headerBytes} bytes does not fit into a file of ${size} bytes`,
    );
  }
  const { entries, metadata } = parseHeader(read(8, Number(headerBytes)), size - dataStart, file);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const entry of entries) {
    tensors.set(entry.name, typed(entry, read(dataStart + entry.begin, entry.end - entry.begin)));
  }
  return { tensors, metadata };
}

/**
 * Tensors and metadata of a safetensors file, given its path or its bytes: float32, bfloat16 and int64 as
 * they are, other floats as float32 and other integers as int64.
 *
 * Tensors come in the order of their bytes. Those read from given bytes share memory with them where
 * alignment allows. Throws a FileFormatError that names the file, the tensor and what is wrong. Allocates 8
 * times the file's size at most, for bytes that become int64. Source: the format's description in the
 * safetensors repository, with its limits (100 MB of header, no holes).
 */
export function readSafetensors(source: string | Uint8Array): SafetensorsFile {
  if (source instanceof Uint8Array) return readFrom(byteSource(source));
  // Asked before opening: to open a pipe would wait for its writer.
  if (!statSync(source).isFile()) throw new FileFormatError(`${source}: not a regular file`);
  const descriptor = openSync(source, "r");
  try {
    return readFrom(fileSource(source, descriptor));
  } finally {
    closeSync(descriptor);
  }
}

const dataKinds = {
  float32: { file: "F32", array: Float32Array },
  bfloat16: { file: "BF16", array: Uint16Array },
  int64: { file: "I64", array: BigInt64Array },
} as const;

function checkText(what: string, text: string): void {
  if (typeof text !== "string") throw new TypeError(`${what} must be a string, not ${typeof text}`);
  if (/\p{Surrogate}/u.test(text))
    throw new RangeError(`${what} ${JSON.stringify(text)} is not well-formed Unicode`);
}

function checkName(what: string, name: string): void {
  checkText(what, name);
  if (name === "__metadata__" || name === "__proto__") throw new RangeError(`${what} must not be ${name}`);
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): FileDtype {
  checkName("tensor name", name);
  const kind = Object.hasOwn(dataKinds, dtype) ? dataKinds[dtype] : undefined;
  if (kind === undefined) {
    throw new RangeError(
      `tensor "${name}": dtype must be ${Object.keys(dataKinds).join(", ")}, not ${String(dtype)}`,
    );
  }
  if (!(data instanceof kind.array))
    throw new TypeError(`tensor "${name}": data of ${dtype} must be a ${kind.array.name}`);
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isShape || elementCount(shape) !== data.length) {
    throw new RangeError(`tensor "${name}": shape [${String(shape)}] does not fit ${data.length} elements`);
  }
  return kind.file;
}

/** Order of names by UTF-16 code units: the same everywhere, whatever the locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The bytes of a safetensors file in pieces: the header, then the data of each tensor (not copied).
 *
 * The same tensors and metadata give the same bytes, whatever their order: wide elements come first, so that
 * all are aligned, then names in order of code units; the header is padded with spaces to a multiple of 8.
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, SafetensorsTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const listed = [...tensors].map(([name, tensor]) => ({ name, tensor, dtype: checkTensor(name, tensor) }));
  listed.sort((a, b) => fileDtypes[b.dtype].bytes - fileDtypes[a.dtype].bytes || compareText(a.name, b.name));
  const notes = Object.entries(metadata).sort(([a], [b]) => compareText(a, b));
  for (const [key, text] of notes) {
    checkName("metadata key", key);
    checkText(`metadata "${key}"`, text);
  }

  // Joined by hand: an object would move keys that look like integers to its front.
  const members: string[] = [];
  if (notes.length > 0) {
    members.push(
      `"__metadata__":{${notes.map((pair) => pair.map((text) => JSON.stringify(text)).join(":")).join(",")}}`,
    );
  }
  let begin = 0;
  const names = new Set<string>();
  for (const { name, tensor, dtype } of listed) {
    if (names.has(name)) throw new RangeError(`tensor name "${name}" occurs twice`);
    names.add(name);
    const end = begin + tensor.data.byteLength;
    members.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape: tensor.shape, data_offsets: [begin, end] })}`,
    );
    begin = end;
  }

  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  if (headerBytes > maxHeaderBytes)
    throw new RangeError(`header of ${headerBytes} bytes is over ${maxHeaderBytes}`);
  const header = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(json, 8);
  const pieces = listed.map(
    ({ tensor: { data } }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return [header, ...pieces];
}

/** Writes a safetensors file at once (see `writeFileAtomic`); the bytes are those of `encodeSafetensors`. */
export function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, SafetensorsTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}
