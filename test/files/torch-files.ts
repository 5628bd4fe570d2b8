import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../src/files/archives/zip.js";

/** A file for an archive; the other fields lie about it. */
export interface ZipEntry {
  readonly name: string | Uint8Array;
  readonly data: Uint8Array | string;
  readonly compress?: boolean;
  readonly crc?: number;
  readonly size?: number;
  /** Place where the list of files says it begins. */
  readonly start?: number;
  readonly flags?: number;
}

/** The bytes of a zip archive, written from the format's description, apart from the code that reads it. */
export function zipBytes(entries: readonly ZipEntry[]): Buffer {
  const pieces: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, data, compress = false, crc, size, start, flags = 0 } of entries) {
    const plain = Buffer.from(data as string);
    const stored = compress ? deflateRawSync(plain) : plain;
    const label = Buffer.from(name as string);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(compress ? 8 : 0, 8);
    local.writeUInt16LE(label.length, 26);
    const row = Buffer.alloc(46);
    row.writeUInt32LE(0x02014b50, 0);
    row.writeUInt16LE(flags, 8);
    row.writeUInt16LE(compress ? 8 : 0, 10);
    row.writeUInt32LE(crc ?? crc32(plain), 16);
    row.writeUInt32LE(size ?? stored.length, 20);
    row.writeUInt32LE(size ?? plain.length, 24);
    row.writeUInt16LE(label.length, 28);
    row.writeUInt32LE(start ?? at, 42);
    pieces.push(local, label, stored);
    central.push(row, label);
    at += 30 + label.length + stored.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...pieces, list, end]);
}

const byte = (value: number) => Buffer.from([value]);
const int = (value: number) => {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x4a;
  bytes.writeInt32LE(value, 1);
  return bytes;
};
const text = (value: string) => Buffer.concat([byte(0x8c), byte(value.length), Buffer.from(value)]);
const tuple = (items: readonly Buffer[]) => Buffer.concat([byte(0x28), ...items, byte(0x74)]);
const global = (name: string) => {
  const dot = name.lastIndexOf(".");
  return Buffer.from(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
};
const call = (name: string, args: readonly Buffer[]) =>
  Buffer.concat([global(name), tuple(args), byte(0x52)]);
const storage = (type: string, key: string, count: number) =>
  Buffer.concat([tuple([text("storage"), global(type), text(key), text("cpu"), int(count)]), byte(0x51)]);

/** Opcodes of a pickle by what they do. */
export const ops = {
  byte,
  int,
  text,
  tuple,
  global,
  call,
  storage,
  /** `_rebuild_tensor_v2` of a storage. */
  tensor: (source: Buffer, offset: number, shape: readonly number[], strides: readonly number[]) =>
    call("torch._utils._rebuild_tensor_v2", [
      source,
      int(offset),
      tuple(shape.map(int)),
      tuple(strides.map(int)),
    ]),
  /** A dictionary of text and values. */
  dict: (entries: readonly (readonly [string, Buffer])[]) =>
    Buffer.concat([
      byte(0x7d),
      byte(0x28),
      ...entries.flatMap(([name, value]) => [text(name), value]),
      byte(0x75),
    ]),
};

/** A pickle of a value: protocol 2 and the end around it. */
export function pickle(...value: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), ...value, Buffer.from(".")]);
}

/** A checkpoint of a pickle and storages by key. */
export function checkpoint(data: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  const files = Object.entries(storages).map(([key, bytes]) => ({ name: `net/data/${key}`, data: bytes }));
  return zipBytes([{ name: "net/data.pkl", data }, ...files]);
}
