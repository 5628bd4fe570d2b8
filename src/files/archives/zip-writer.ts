import { crc32 } from "./zip.js";

/** Beginnings of files are multiples of this, so that numbers in them can be read where they lie. */
const alignment = 64;
/** Extra field that pads to the alignment, as PyTorch's own writer has it. */
const paddingField = 0x4246;

/** Part of a header: fields of 2 or 4 bytes, little-endian. */
function fields(...values: readonly (readonly [value: number, bytes: 2 | 4])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of values) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
}

/** Facts of a file that its own header and the list of files share. */
function common(data: Uint8Array, name: Buffer, extra: number): Buffer {
  const utf8 = 0x800;
  const date = 0x21;
  return fields(
    [10, 2],
    [utf8, 2],
    [0, 2],
    [0, 2],
    [date, 2],
    [crc32(data), 4],
    [data.length, 4],
    [data.length, 4],
    [name.length, 2],
    [extra, 2],
  );
}

/**
 * Zip archive of files that are stored as they are, each aligned to 64 bytes: the form that PyTorch reads.
 * RangeError for 4 GiB or 65535 files and more, which need another form. Source: PKWARE, APPNOTE 6.3.
 */
export function encodeStoredZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = [];
  const listed: Uint8Array[] = [];
  let at = 0;
  for (const [path, data] of files) {
    const name = Buffer.from(path);
    const plain = at + 30 + name.length + 4;
    const padding = Buffer.alloc((alignment - (plain % alignment)) % alignment, "Z");
    const extra = Buffer.concat([fields([paddingField, 2], [padding.length, 2]), padding]);
    const header = Buffer.concat([fields([0x04034b50, 4]), common(data, name, extra.length), name, extra]);
    const entry = [fields([0x02014b50, 4], [10, 2]), common(data, name, 0)];
    listed.push(...entry, fields([0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), name);
    parts.push(header, data);
    at += header.length + data.length;
  }
  const list = Buffer.concat(listed);
  if (at + list.length >= 2 ** 32 || files.size >= 0xffff) {
    throw new RangeError(
      `an archive of ${files.size} files and ${at} bytes is too large for a zip of this form`,
    );
  }
  const count = files.size;
  const end = fields(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [list.length, 4],
    [at, 4],
    [0, 2],
  );
  return Buffer.concat([...parts, list, end]);
}
