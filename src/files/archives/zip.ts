import { FileFormatError, shownName } from "../../base/index.js";
import { memoryBytes } from "../byte-source.js";
import { zipEntries } from "./zip-entries.js";

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as zip has it (Node's own came after 20.0), of bytes that follow others whose value is given. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = (before ^ 0xffffffff) >>> 0;
  for (let i = 0; i < bytes.length; i++) value = crcTable[(value ^ bytes[i]!) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * The files of a zip archive by name, as views into its bytes. Stored files alone: compressed ones, which may
 * unpack to any size, are refused, so nothing is larger than the archive.
 *
 * Throws a FileFormatError that begins with `file` for anything but a whole archive of stored files that do
 * not overlap, whose CRC-32 fits.
 */
export function readStoredZip(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const entries = zipEntries(memoryBytes(bytes, file)).map(({ name, method, start, size, crc }) => {
    const refuse = (problem: string) => new FileFormatError(`${file}: "${shownName(name)}" is ${problem}`);
    if (method !== 0) throw refuse(`compressed (method ${method}): PyTorch stores files as they are`);
    const data = bytes.subarray(start, start + size);
    if (crc32(data) !== crc) throw refuse("damaged: its CRC-32 does not fit");
    return [name, data] as const;
  });
  return new Map(entries);
}

/** Names of the files in a zip archive, compressed ones too; none where the list is damaged. */
export function listedNames(bytes: Uint8Array): string[] {
  try {
    return zipEntries(memoryBytes(bytes, "archive")).map(({ name }) => name);
  } catch (error) {
    if (error instanceof FileFormatError) return [];
    throw error;
  }
}
