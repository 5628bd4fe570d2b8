import { inflateRawSync } from "node:zlib";
import { FileFormatError, messageOf, shownName } from "../../base/index.js";
import { crc32 } from "../archives/zip.js";
import { type ZipEntry, zipEntries } from "../archives/zip-entries.js";
import { type ByteSource, memoryBytes, partOf } from "../byte-source.js";
import { type NpyArray, openNpy } from "./npy.js";

/** Compressed arrays are unpacked in memory: larger ones are to be saved by `numpy.savez`, uncompressed. */
const mostUnpackedBytes = 2 ** 30;
const chunkBytes = 2 ** 24;

/**
 * Arrays of a `.npz` archive by name, without their `.npy`. Those that are stored as they are are read in
 * parts; compressed ones are unpacked when they are opened.
 *
 * Throws a FileFormatError that begins with the source's name for anything but a whole zip archive of stored
 * or deflated files; from an array's function also where its CRC-32 does not fit.
 */
export function openNpz(source: ByteSource): Map<string, () => NpyArray> {
  const arrays = new Map<string, () => NpyArray>();
  for (const entry of zipEntries(source)) {
    if (!entry.name.endsWith(".npy")) continue;
    const name = entry.name.slice(0, -4);
    arrays.set(name, () => openNpy(contentOf(source, entry)));
  }
  return arrays;
}

function contentOf(source: ByteSource, entry: ZipEntry): ByteSource {
  const name = `${source.name}: "${shownName(entry.name)}"`;
  const packed = partOf(source, entry.start, entry.packedSize, name);
  if (entry.method === 0) {
    if (crcOf(packed) !== entry.crc) throw damaged(name);
    return packed;
  }
  if (entry.size > mostUnpackedBytes) {
    throw new FileFormatError(
      `${name}: unpacks to ${entry.size} bytes, more than ${mostUnpackedBytes}: save it by numpy.savez, ` +
        "which does not compress",
    );
  }
  const bytes = inflated(packed, entry.size, name);
  if (crc32(bytes) !== entry.crc) throw damaged(name);
  return memoryBytes(bytes, name);
}

const damaged = (name: string) => new FileFormatError(`${name}: damaged: its CRC-32 does not fit`);

function inflated(packed: ByteSource, size: number, name: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed.read(0, packed.size), { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    const reason = messageOf(error);
    throw new FileFormatError(`${name}: cannot be unpacked, it is truncated or damaged (${reason})`);
  }
  if (bytes.length !== size)
    throw new FileFormatError(`${name}: unpacks to ${bytes.length} bytes, not to the ${size} that it claims`);
  return bytes;
}

function crcOf(source: ByteSource): number {
  let value = 0;
  for (let at = 0; at < source.size; at += chunkBytes)
    value = crc32(source.read(at, Math.min(chunkBytes, source.size - at)), value);
  return value;
}
