import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { parseIdx, readIdx } from "../../src/files/index.js";
import { idxBytes } from "./idx-files.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sqa-idx-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const values = Uint8Array.from({ length: 24 }, (_, index) => index);
const whole = idxBytes([2, 3, 4], values);

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("parseIdx", () => {
  test("gives the sizes and a view of the elements", () => {
    const { shape, data } = parseIdx(whole, 3, "f");
    expect(shape).toEqual([2, 3, 4]);
    expect(data).toEqual(values);
  });

  test.each<[string, Uint8Array, string]>([
    [
      "no bytes",
      new Uint8Array(0),
      "f: not an IDX file: it must begin with 0x00 0x00, an element type and a rank, found nothing",
    ],
    ["text", Buffer.from("<html>"), "found 0x3c 0x68 0x74 0x6d"],
    [
      "int32",
      idxBytes([1, 1, 1], new Uint8Array(4), 12),
      "f: element type 0x0c (int32) is not supported; expected 0x08 (uint8)",
    ],
    [
      "unknown type",
      idxBytes([1, 1, 1], new Uint8Array(1), 7),
      "f: element type 0x07 (unknown) is not supported",
    ],
    ["labels for images", idxBytes([24], values), "f: it has 1 dimension, expected 3"],
    ["truncated header", whole.subarray(0, 15), "f: truncated: 15 bytes, but the header alone has 16"],
    [
      "truncated",
      whole.subarray(0, 39),
      "f: truncated: shape [2, 3, 4] takes 24 bytes after the header, found 23",
    ],
    [
      "trailing byte",
      Buffer.concat([whole, values.subarray(0, 1)]),
      "f: too long: shape [2, 3, 4] takes 24 bytes after the header, found 25",
    ],
    [
      "sizes that overflow",
      idxBytes([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], values),
      "f: truncated: shape [4294967295, 4294967295, 4294967295]",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseIdx(bytes, 3, "f")).toThrow(FileFormatError);
    expect(() => parseIdx(bytes, 3, "f")).toThrow(message);
  });

  test("reads or refuses any bytes, and throws nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(4), (bytes, kept) => {
        bytes.set(whole.subarray(0, Math.min(kept, bytes.length)));
        try {
          parseIdx(bytes, 3, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(FileFormatError);
        }
      }),
    );
  });
});

describe("readIdx", () => {
  test("reads plain and gzipped files, whatever their name", () => {
    for (const [name, bytes] of Object.entries({
      plain: whole,
      "a.gz": gzipSync(whole),
      b: gzipSync(whole),
    })) {
      expect(readIdx(write(name, bytes), 3).data).toEqual(values);
    }
  });

  test("refuses a damaged, truncated or exploding gzip file, and names it", () => {
    const truncated = write("truncated.gz", gzipSync(whole).subarray(0, 30));
    expect(() => readIdx(truncated, 3)).toThrow(FileFormatError);
    expect(() => readIdx(truncated, 3)).toThrow(
      `${truncated}: cannot be uncompressed, it is truncated or damaged`,
    );
    const bytes = gzipSync(whole);
    bytes[bytes.length - 8]! ^= 1;
    const damaged = write("damaged.gz", bytes);
    expect(() => readIdx(damaged, 3)).toThrow(`${damaged}: cannot be uncompressed`);
    const piece = gzipSync(new Uint8Array(2 ** 24));
    const bomb = write("bomb.gz", Buffer.concat(Array.from({ length: 17 }, () => piece)));
    expect(() => readIdx(bomb, 3)).toThrow(
      new FileFormatError(`${bomb}: holds more than 268435456 bytes once uncompressed`),
    );
  });

  test("refuses a folder and a file that is too large without reading it", () => {
    expect(() => readIdx(folder, 3)).toThrow(new FileFormatError(`${folder}: not a regular file`));
    const large = write("large", whole);
    truncateSync(large, 2 ** 40);
    expect(() => readIdx(large, 3)).toThrow(
      `${large}: 1099511627776 bytes, more than the 268435456 that are read`,
    );
  });
});
