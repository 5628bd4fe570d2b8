import { FileFormatError, shownName } from "../../base/index.js";

const endBytes = 22;
const centralBytes = 46;
const localBytes = 30;
const signatures = { end: 0x06054b50, central: 0x02014b50, local: 0x04034b50 };
const encrypted = 1;
/** Value of a 32-bit field where the true value stands in a zip64 record. */
const inZip64 = 0xffffffff;

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

/** A file's name: UTF-8, or else each byte by itself, so that no two names become one. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/**
 * Finds where the end record begins: the last place where one fits the rest of the file, behind it a comment
 * at most.
 */
function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - endBytes;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return undefined;
}

/**
 * The files of a zip archive by name, as views into its bytes. Stored files alone: compressed ones, which may
 * unpack to any size, are refused, so nothing is larger than the archive.
 *
 * Throws a FileFormatError that begins with `file` for anything but a whole archive of stored files that do
 * not overlap, whose CRC-32 fits. Source: PKWARE, APPNOTE 6.3.
 */
export function readStoredZip(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const refuse = (problem: string) => new FileFormatError(`${file}: ${problem}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(view);
  if (end === undefined) throw refuse("truncated or no zip archive: it does not end as one");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === inZip64) throw refuse("zip64 archives are not read");
  const entries = Array.from({ length: count }, () => {
    if (at + centralBytes > end || view.getUint32(at, true) !== signatures.central) {
      throw refuse("its list of files is damaged");
    }
    const entry = readEntry(at);
    at = entry.next;
    return entry;
  });
  return contents(entries);

  function readEntry(place: number) {
    const lengths = [28, 30, 32].map((offset) => view.getUint16(place + offset, true)) as [
      number,
      number,
      number,
    ];
    const next = place + centralBytes + lengths[0] + lengths[1] + lengths[2];
    if (next > end!) throw refuse("its list of files is damaged");
    const name = decodeName(bytes.subarray(place + centralBytes, place + centralBytes + lengths[0]));
    const [flags, method] = [view.getUint16(place + 8, true), view.getUint16(place + 10, true)];
    const [crc, packed, size, start] = [16, 20, 24, 42].map((offset) => view.getUint32(place + offset, true));
    if ((flags! & encrypted) !== 0) throw refuse(`"${shownName(name)}" is encrypted`);
    if (method !== 0)
      throw refuse(`"${shownName(name)}" is compressed (method ${method}): PyTorch stores files as they are`);
    if (packed !== size || size === inZip64 || start === inZip64)
      throw refuse(`"${shownName(name)}" has no size that can be read`);
    return { name, crc: crc!, size: size!, start: start!, next };
  }

  /** Beginning of a file's bytes, behind the header of its own. */
  function dataStart({ name, start }: { name: string; start: number }): number {
    if (start + localBytes > end! || view.getUint32(start, true) !== signatures.local) {
      throw refuse(`"${shownName(name)}" is not where the list of files says`);
    }
    return start + localBytes + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  }

  function contents(listed: readonly ReturnType<typeof readEntry>[]): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    let covered = 0;
    for (const entry of [...listed].sort((a, b) => a.start - b.start)) {
      const { name, size, crc, start } = entry;
      const begin = dataStart(entry);
      if (start < covered) throw refuse(`"${shownName(name)}" overlaps another file`);
      if (begin + size > end!)
        throw refuse(`"${shownName(name)}" ends behind the archive's end: truncated or damaged`);
      if (files.has(name)) throw refuse(`"${shownName(name)}" occurs twice`);
      const data = bytes.subarray(begin, begin + size);
      if (crc32(data) !== crc) throw refuse(`"${shownName(name)}" is damaged: its CRC-32 does not fit`);
      files.set(name, data);
      covered = begin + size;
    }
    return files;
  }
}

/** Names of the files in a zip archive, compressed ones too; none, or fewer, where the list is damaged. */
export function listedNames(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(view);
  const names: string[] = [];
  if (end === undefined) return names;
  let at = view.getUint32(end + 16, true);
  while (at + centralBytes <= end && view.getUint32(at, true) === signatures.central) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    names.push(decodeName(bytes.subarray(at + centralBytes, at + centralBytes + name!)));
    at += centralBytes + name! + extra! + comment!;
  }
  return names;
}
