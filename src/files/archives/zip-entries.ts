import { FileFormatError, shownName } from "../../base/index.js";
import type { ByteSource } from "../byte-source.js";

/** File of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0: stored as it is, 8: deflated. */
  readonly method: 0 | 8;
  readonly packedSize: number;
  readonly size: number;
  readonly crc: number;
  /** Place of its bytes in the archive. */
  readonly start: number;
}

const endBytes = 22;
const centralBytes = 46;
const localBytes = 30;
const signatures = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  central: 0x02014b50,
  local: 0x04034b50,
};
/** Value of a 32-bit field where the true value stands in a zip64 record. */
const inZip64 = 0xffffffff;
const mostEntries = 2 ** 16;
const mostListBytes = 2 ** 26;

/** A file's name: UTF-8, or else each byte by itself, so that no two names become one. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * Lists the files of a zip archive, zip64 or not, without reading their contents.
 *
 * Throws a FileFormatError that begins with the source's name for a damaged archive, for encrypted files,
 * files packed otherwise than by deflate, names that occur twice, and files that overlap. Source: PKWARE,
 * APPNOTE 6.3.
 */
export function zipEntries(source: ByteSource): ZipEntry[] {
  const refuse = (problem: string) => new FileFormatError(`${source.name}: ${problem}`);
  const { count, start, size, end } = listPlace(source, refuse);
  if (count > mostEntries || size > mostListBytes)
    throw refuse(`it lists ${count} files in ${size} bytes, more than are read`);
  if (start + size > end) throw refuse("its list of files is damaged");
  const list = source.read(start, size);
  const view = viewOf(list);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralBytes > size || view.getUint32(at, true) !== signatures.central)
      throw refuse("its list of files is damaged");
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const next = at + centralBytes + lengths[0]! + lengths[1]! + lengths[2]!;
    if (next > size) throw refuse("its list of files is damaged");
    const entry = readEntry(source, list, at, lengths[0]!, lengths[1]!, refuse);
    if (names.has(entry.name)) throw refuse(`"${shownName(entry.name)}" occurs twice`);
    names.add(entry.name);
    entries.push(entry);
    at = next;
  }
  let covered = 0;
  for (const { name, start: begin, packedSize } of [...entries].sort((a, b) => a.start - b.start)) {
    if (begin < covered) throw refuse(`"${shownName(name)}" overlaps another file`);
    covered = begin + packedSize;
    if (covered > start) throw refuse(`"${shownName(name)}" reaches into the list of files: damaged`);
  }
  return entries;
}

/** Place of the list of files, as the archive's last record says. */
function listPlace(source: ByteSource, refuse: (problem: string) => Error) {
  const length = Math.min(source.size, endBytes + 0xffff);
  const tail = source.read(source.size - length, length);
  const view = viewOf(tail);
  for (let at = length - endBytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + view.getUint16(at + 20, true) !== length) continue;
    const end = source.size - length + at;
    const place = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      start: view.getUint32(at + 16, true),
      end,
    };
    const is64 = place.count === 0xffff || place.size === inZip64 || place.start === inZip64;
    return is64 ? listPlace64(source, end, refuse) : place;
  }
  throw refuse("truncated or no zip archive: it does not end as one");
}

function listPlace64(source: ByteSource, end: number, refuse: (problem: string) => Error) {
  if (end < 20) throw refuse("its zip64 record is missing");
  const locator = viewOf(source.read(end - 20, 20));
  if (locator.getUint32(0, true) !== signatures.locator64) throw refuse("its zip64 record is missing");
  const at = number64(locator, 8, refuse);
  if (at + 56 > end) throw refuse("its zip64 record is damaged");
  const record = viewOf(source.read(at, 56));
  if (record.getUint32(0, true) !== signatures.end64) throw refuse("its zip64 record is damaged");
  const [count, size, start] = [32, 40, 48].map((offset) => number64(record, offset, refuse));
  return { count: count!, size: size!, start: start!, end: at };
}

function number64(view: DataView, at: number, refuse: (problem: string) => Error): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse("its zip64 record is damaged");
  return Number(value);
}

function readEntry(
  source: ByteSource,
  list: Uint8Array,
  at: number,
  nameLength: number,
  extraLength: number,
  refuse: (problem: string) => Error,
): ZipEntry {
  const view = viewOf(list);
  const nameAt = at + centralBytes;
  const name = decodeName(list.subarray(nameAt, nameAt + nameLength));
  const shown = `"${shownName(name)}"`;
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if ((flags & 1) !== 0) throw refuse(`${shown} is encrypted`);
  if (method !== 0 && method !== 8) throw refuse(`${shown} is packed by method ${method}; deflate is read`);
  const crc = view.getUint32(at + 16, true);
  // Each field that says so stands in the zip64 part of the extra field, in this order.
  const fields = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  const extra = viewOf(list.subarray(nameAt + nameLength, nameAt + nameLength + extraLength));
  let place = zip64Part(extra);
  const [size, packedSize, header] = fields.map((value) => {
    if (value !== inZip64) return value;
    if (place === undefined || place + 8 > extra.byteLength) throw refuse(`${shown} has no size`);
    place += 8;
    return number64(extra, place - 8, refuse);
  }) as [number, number, number];
  const local = viewOf(source.read(header, localBytes));
  if (local.getUint32(0, true) !== signatures.local)
    throw refuse(`${shown} is not where the list of files says`);
  const start = header + localBytes + local.getUint16(26, true) + local.getUint16(28, true);
  if (method === 0 && packedSize !== size) throw refuse(`${shown} has two sizes`);
  return { name, method, packedSize, size, crc, start };
}

/** Place of the zip64 part's values in an extra field. */
function zip64Part(extra: DataView): number | undefined {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) === 1) return at + 4;
  }
  return undefined;
}
