import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, deflateSync } from "node:zlib";
import { parquetMetadata } from "hyparquet";
import { afterAll, describe, expect, test } from "vitest";
import { decodeImage } from "../../src/datasets/pixels/decode.js";
import { crc32 } from "../../src/files/archives/zip.js";
import { fileBytes, imageHeader, openNpz, openParquet, parseCsv } from "../../src/files/index.js";
import { npyBytes, pngOf } from "../datasets/image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-bombs-"));
afterAll(() => rmSync(parent, { recursive: true }));
const golden = new URL("../golden/images", import.meta.url).pathname;
const place = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(parent, name), bytes);
  return join(parent, name);
};

/** PNG of one color, whose compressed picture is tiny. */
function flatPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const ends = [Buffer.alloc(4), Buffer.alloc(4)] as const;
    ends[0].writeUInt32BE(data.length);
    ends[1].writeUInt32BE(crc32(body));
    return Buffer.concat([ends[0], body, ends[1]]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + Math.ceil(width / 8)));
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

/** Zip archive of one file, packed by deflate, that claims a size. */
function deflated(name: string, content: Buffer, claimed = content.length): Buffer {
  const packed = deflateRawSync(content);
  const field = (value: number, bytes: 2 | 4) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUIntLE(value, 0, bytes);
    return buffer;
  };
  const sizes = [field(crc32(content), 4), field(packed.length, 4), field(claimed, 4)];
  const common = [
    field(20, 2),
    field(0, 2),
    field(8, 2),
    field(0, 4),
    ...sizes,
    field(name.length, 2),
    field(0, 2),
  ];
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), ...common, Buffer.from(name), packed]);
  const central = Buffer.concat([
    ...[Buffer.from("PK\x01\x02", "latin1"), field(20, 2), ...common],
    ...[field(0, 2), field(0, 2), field(0, 2), field(0, 4), field(0, 4), Buffer.from(name)],
  ]);
  const end = [
    field(0, 4),
    field(1, 2),
    field(1, 2),
    field(central.length, 4),
    field(local.length, 4),
    field(0, 2),
  ];
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06", "latin1"), ...end]);
}

/** Number as thrift's compact protocol writes it. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** Parquet file with a page more in its first column, of which it claims a size. */
function withPage(page: Buffer, claimed?: number): Buffer {
  const bytes = readFileSync(join(golden, "parquet", "train-00000-of-00001.parquet"));
  const tail = bytes.length - 8;
  const footer = bytes.subarray(tail - bytes.readUInt32LE(tail), tail);
  const meta = parquetMetadata(new Uint8Array(bytes).buffer).row_groups[0]!.columns[0]!.meta_data!;
  const [size, data, words] = [
    Number(meta.total_compressed_size),
    Number(meta.data_page_offset),
    Number(meta.dictionary_page_offset),
  ];
  const places = (size: number, moved: number) =>
    Buffer.concat([
      Buffer.from([0x16]),
      varint(size),
      Buffer.from([0x26]),
      varint(data + moved),
      Buffer.from([0x26]),
      varint(words + moved),
    ]);
  const old = places(size, 0);
  const at = footer.indexOf(old);
  expect(at).toBeGreaterThan(0);
  const start = Math.min(words, data);
  // The column again, behind all others.
  const body = bytes.subarray(0, tail - footer.length);
  const next = places(claimed ?? size + page.length, body.length - start);
  const description = Buffer.concat([footer.subarray(0, at), next, footer.subarray(at + old.length)]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(description.length);
  const column = bytes.subarray(start, start + size);
  return Buffer.concat([body, column, page, description, length, Buffer.from("PAR1")]);
}

describe("what would unpack to more than it should", () => {
  test("a picture of many pixels, in a small file, is refused by its header", async () => {
    const bomb = flatPng(20_000, 20_000);
    expect(bomb.length).toBeLessThan(100_000);
    await expect(decodeImage(bomb, "bomb.png")).rejects.toThrow(
      "bomb.png: 20000 x 20000 pixels are more than the 67108864 that are decoded",
    );
    const fits = await decodeImage(flatPng(300, 200), "flat.png");
    expect([fits.width, fits.height, fits.channels]).toEqual([300, 200, 3]);
  });

  test("a picture that is larger than its header says is refused", async () => {
    const png = Buffer.from(pngOf(0, 0));
    png.writeUInt32BE(13, 16);
    await expect(decodeImage(png, "a.png")).rejects.toThrow(/a.png: cannot be decoded/);
  });

  test("an array that unpacks to more than it claims, or claims too much, is refused", () => {
    const array = npyBytes("|u1", [4, 4], new Uint8Array(16));
    const open = (bytes: Buffer) => () => openNpz(fileBytes(place("x.npz", bytes))).get("x")!();
    expect(open(deflated("x.npy", array))().shape).toEqual([4, 4]);
    expect(open(deflated("x.npy", Buffer.alloc(50_000_000), 100))).toThrow(
      /x.npz: "x.npy": cannot be unpacked/,
    );
    expect(open(deflated("x.npy", array, 2 ** 31))).toThrow(/unpacks to 2147483648 bytes.*numpy.savez/);
  });

  test("a zip archive's places are checked against the file", () => {
    const bytes = deflated("x.npy", npyBytes("|u1", [4], new Uint8Array(4)));
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes);
      other[at]! ^= 0xff;
      let read: unknown;
      try {
        read = openNpz(fileBytes(place("y.npz", other))).get("x")?.().shape;
      } catch (error) {
        expect((error as Error).message).toContain("y.npz");
      }
      expect([undefined, "[4]"]).toContain(read === undefined ? undefined : JSON.stringify(read));
    }
  });

  test("a page of parquet that claims to unpack to gigabytes is refused", () => {
    const bytes = readFileSync(join(golden, "parquet", "train-00000-of-00001.parquet"));
    // The first page's header follows the file's first four bytes: type, then its size unpacked, as varints.
    expect([...bytes.subarray(4, 6)]).toEqual([0x15, 0x04]);
    const huge = Buffer.concat([
      bytes.subarray(0, 7),
      Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
      bytes.subarray(12),
    ]);
    const file = openParquet(fileBytes(place("x.parquet", huge)));
    expect(() => file.rowGroups[0]!.column("image.bytes")).toThrow(/x.parquet: damaged parquet file/);
  });

  test("a page of parquet behind those of all rows is checked as well", () => {
    // Page of no values that claims to unpack to 2^31 - 1 bytes.
    const empty = "15001500150615060000";
    const evil = (unpacked: string) => Buffer.from(`150015${unpacked}15002c${empty}`, "hex");
    const read = (page: Buffer) =>
      openParquet(fileBytes(place("z.parquet", withPage(page)))).rowGroups[0]!.column("image.bytes").length;
    expect(read(Buffer.alloc(0))).toBeGreaterThan(0);
    expect(() => read(evil("feffffff0f"))).toThrow(/a page of 0 bytes that unpacks to 2147483647/);
  });

  test("a column of parquet beyond what is held at once is refused, with what to do", () => {
    const { rowGroups } = openParquet(fileBytes(place("c.parquet", withPage(Buffer.alloc(0), 6e8))));
    expect(() => rowGroups[0]!.column("image.bytes")).toThrow(
      /c.parquet: a column of 600000000 bytes in a row group, more than 536870912: .* row_group_size=100$/,
    );
  });
});

test("a named pipe is no file, and is not waited for", () => {
  const pipe = join(parent, "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(() => fileBytes(pipe)).toThrow(/pipe: not a regular file/);
});

test("headers tell format and size", () => {
  const header = (name: string) => imageHeader(readFileSync(join(golden, name)), name);
  expect(header("wide.png")).toEqual({ format: "PNG", width: 53, height: 37 });
  expect(header("tall.jpg")).toEqual({ format: "JPEG", width: 45, height: 61 });
  expect(header("progressive.jpg")).toEqual({ format: "JPEG", width: 53, height: 37 });
  expect(header("lossless.webp")).toEqual({ format: "WebP", width: 53, height: 37 });
  expect(() => imageHeader(new Uint8Array(0), "a.png")).toThrow(
    "a.png: not an image in PNG, JPEG or WebP: it is empty",
  );
});

test.each([
  ["GIF89a.......", "a GIF"],
  ["\n<!DOCTYPE html>\n<html>", "a web page"],
  ["<html><body>403</body>", "a web page"],
  ['<?xml version="1.0"?><svg', "an SVG or other XML"],
])("what is no image says so: %j", (content, what) => {
  const read = () => imageHeader(Buffer.from(content), "a.jpg");
  expect(read).toThrow(`a.jpg: not an image in PNG, JPEG or WebP: it is ${what}`);
});

test("a list is read by the rules of RFC 4180", () => {
  const rows = parseCsv(Buffer.from('a,"b ""x"", c"\r\n\r\n"two\nlines",d\n'), "x.csv");
  expect(rows).toEqual([
    { line: 1, fields: ["a", 'b "x", c'] },
    { line: 3, fields: ["two\nlines", "d"] },
  ]);
  expect(() => parseCsv(Buffer.from([0xff, 0xfe]), "x.csv")).toThrow("x.csv: not text in UTF-8");
  // Blanks beside commas are not part of a name, and those in quotes are.
  const blanks = parseCsv(Buffer.from('a.png, "the cat" ,\t"x" \r\n " b.png" , dog,\n'), "x.csv");
  expect(blanks.map(({ fields }) => fields)).toEqual([
    ["a.png", "the cat", "x"],
    [" b.png", "dog", ""],
  ]);
});
