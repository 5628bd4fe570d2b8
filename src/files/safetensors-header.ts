import { FileFormatError, parseStrictJson, StrictJsonError } from "../base/index.js";
import { elementTypes } from "./element-types.js";

/** The element types that are read, by the name that the file gives them; the first three are written. */
export const fileDtypes = {
  F32: elementTypes.float32,
  BF16: elementTypes.bfloat16,
  I64: elementTypes.int64,
  F64: elementTypes.float64,
  F16: elementTypes.float16,
  I32: elementTypes.int32,
  I16: elementTypes.int16,
  I8: elementTypes.int8,
  U32: elementTypes.uint32,
  U16: elementTypes.uint16,
  U8: elementTypes.uint8,
  BOOL: elementTypes.bool,
} as const;

export type FileDtype = keyof typeof fileDtypes;

/** Place of a tensor in a file: `begin` and `end` in bytes, counted from the start of the data. */
export type HeaderEntry = {
  readonly name: string;
  readonly dtype: FileDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
};

export type Header = { readonly entries: readonly HeaderEntry[]; readonly metadata: Record<string, string> };

/** The largest header that the reference implementation reads. */
export const maxHeaderBytes = 100_000_000;

// The header's object, a tensor's object, its shape.
const headerDepth = 3;
const fields = ["dtype", "shape", "data_offsets"];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether a value out of a file is a whole number that a side or an offset can be. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A value as a message shows it: JSON, cut where it is long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * Number of elements of a shape, or undefined when it is 2^53 or more (zeros left out, so that order does not
 * matter).
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let product = 1;
  for (const size of shape) {
    if (size !== 0) product *= size;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  return shape.includes(0) ? 0 : product;
}

function parseMetadata(value: unknown, refuse: (problem: string) => FileFormatError): Record<string, string> {
  // Some writers have null where they have none, which the reference implementation reads.
  if (value === null) return {};
  if (!isObject(value)) throw refuse(`__metadata__ must be an object of strings, found ${shown(value)}`);
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string")
      throw refuse(`__metadata__ ${shown(key)} must be a string, found ${shown(text)}`);
    metadata[key] = text;
  }
  return metadata;
}

/** One tensor's entry, checked on its own: its fields, its shape, and that its bytes lie in the file. */
function parseEntry(
  name: string,
  value: unknown,
  dataBytes: number,
  fileRefuse: (problem: string) => FileFormatError,
) {
  const refuse = (problem: string) => fileRefuse(`tensor ${shown(name)}: ${problem}`);
  if (!isObject(value)) throw refuse(`must be an object, found ${shown(value)}`);
  for (const field of fields) if (!Object.hasOwn(value, field)) throw refuse(`lacks "${field}"`);
  for (const field of Object.keys(value))
    if (!fields.includes(field)) throw refuse(`unknown field ${shown(field)}`);

  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(fileDtypes, dtype)) {
    throw refuse(`dtype ${shown(dtype)} is not supported; supported: ${Object.keys(fileDtypes).join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw refuse(`shape must be a list of integers in [0, 2^53), found ${shown(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refuse(`data_offsets must be two integers in [0, 2^53), found ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw refuse(`data_offsets begin at ${begin}, after their end at ${end}`);
  if (end > dataBytes)
    throw refuse(`data ends at byte ${end}, but the file holds ${dataBytes} bytes of data`);
  const elements = elementCount(shape);
  if (elements === undefined) throw refuse(`shape ${shown(shape)} has 2^53 elements or more`);
  const expected = elements * fileDtypes[dtype as FileDtype].bytes;
  if (end - begin !== expected) {
    throw refuse(
      `${dtype} of shape ${shown(shape)} takes ${expected} bytes, but data_offsets span ${end - begin}`,
    );
  }
  return { name, dtype: dtype as FileDtype, shape: shape as number[], begin, end };
}

/**
 * Checks that the tensors, in the order of their bytes, cover the data from its first byte to its last, each
 * once.
 */
function checkCoverage(
  entries: HeaderEntry[],
  dataBytes: number,
  refuse: (problem: string) => FileFormatError,
): void {
  let covered = 0;
  let previous = "";
  for (const { name, begin, end } of entries) {
    if (begin < covered)
      throw refuse(`tensor ${shown(name)}: overlaps tensor ${shown(previous)} at byte ${begin}`);
    if (begin > covered) {
      throw refuse(
        `tensor ${shown(name)}: ${begin - covered} bytes before it, at ${covered}, belong to no tensor`,
      );
    }
    covered = end;
    previous = name;
  }
  if (covered < dataBytes)
    throw refuse(`${dataBytes - covered} bytes after the last tensor belong to no tensor`);
}

/**
 * The checked header of a safetensors file, its entries in the order of their bytes.
 *
 * `json` is the header's text as stored, `dataBytes` how many bytes follow it, `file` the name for messages.
 * Throws a FileFormatError for everything that the format forbids or this project does not read.
 */
export function parseHeader(json: Uint8Array, dataBytes: number, file: string): Header {
  const refuse = (problem: string) => new FileFormatError(`${file}: ${problem}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch {
    throw refuse("header is not UTF-8");
  }
  if (!text.startsWith("{")) throw refuse("header must be a JSON object that begins with {");
  let header: unknown;
  try {
    header = parseStrictJson(text, headerDepth);
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(`header is not valid: ${error.message}`);
    throw error;
  }
  if (!isObject(header)) throw refuse("header must be a JSON object");

  let metadata: Record<string, string> = {};
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = parseMetadata(value, refuse);
    else entries.push(parseEntry(name, value, dataBytes, refuse));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, refuse);
  return { entries, metadata };
}
