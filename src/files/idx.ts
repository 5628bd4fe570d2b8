import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { FileFormatError, messageOf, sizeOf } from "../base/index.js";

/**
 * Contents of an IDX file: unsigned bytes, row-major. `bytes` is the whole file, uncompressed; `data` a view
 * into it.
 */
export type IdxArray = {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
  readonly bytes: Uint8Array;
};

const unsignedByte = 0x08;
const elementTypes: Readonly<Record<number, string>> = {
  [unsignedByte]: "uint8",
  9: "int8",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

/** Files of more bytes than this, compressed or not, are refused; the largest MNIST file has 47 million. */
const maxIdxBytes = 2 ** 28;

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/**
 * The array in the bytes of an IDX file: magic number (0, 0, element type, rank), big-endian sizes, then the
 * elements.
 *
 * Throws a FileFormatError, which begins with `file`, unless it holds uint8 of the given rank and of exactly
 * its length. Source: the format's description by LeCun, Cortes and Burges on the MNIST page.
 */
export function parseIdx(content: Uint8Array, rank: number, file: string): IdxArray {
  // A plain Uint8Array, also where a Buffer was given: the two slice differently.
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.length);
  const refuse = (problem: string) => new FileFormatError(`${file}: ${problem}`);
  const headerBytes = 4 + 4 * rank;
  const [zero0, zero1, type, foundRank] = bytes;
  if (zero0 !== 0 || zero1 !== 0 || type === undefined || foundRank === undefined) {
    const found = [...bytes.subarray(0, 4)].map(hex).join(" ");
    throw refuse(
      "not an IDX file: it must begin with 0x00 0x00, an element type and a rank, found " +
        `${found || "nothing"}`,
    );
  }
  if (type !== unsignedByte) {
    throw refuse(
      `element type ${hex(type)} (${elementTypes[type] ?? "unknown"}) is not supported; expected 0x08 ` +
        "(uint8)",
    );
  }
  if (foundRank !== rank)
    throw refuse(`it has ${foundRank} dimension${foundRank === 1 ? "" : "s"}, expected ${rank}`);
  if (bytes.length < headerBytes) {
    throw refuse(`truncated: ${bytes.length} bytes, but the header alone has ${headerBytes}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = sizeOf(shape);
  const found = bytes.length - headerBytes;
  if (found !== expected) {
    const kind = found < expected ? "truncated" : "too long";
    throw refuse(
      `${kind}: shape [${shape.join(", ")}] takes ${expected} bytes after the header, found ${found}`,
    );
  }
  return { shape, data: bytes.subarray(headerBytes), bytes };
}

function gunzip(compressed: Uint8Array, file: string, most: number): Uint8Array {
  try {
    return gunzipSync(compressed, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new FileFormatError(`${file}: holds more than ${most} bytes once uncompressed`);
    }
    const reason = messageOf(error);
    throw new FileFormatError(`${file}: cannot be uncompressed, it is truncated or damaged (${reason})`);
  }
}

/** Reads an IDX file, gzipped or not (its first bytes tell, not its name); errors as `parseIdx`. */
export function readIdx(path: string, rank: number, most = maxIdxBytes): IdxArray {
  const status = statSync(path);
  if (!status.isFile()) throw new FileFormatError(`${path}: not a regular file`);
  if (status.size > most) {
    throw new FileFormatError(`${path}: ${status.size} bytes, more than the ${most} that are read`);
  }
  const stored = readFileSync(path);
  const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
  return parseIdx(isGzip ? gunzip(stored, path, most) : stored, rank, path);
}
