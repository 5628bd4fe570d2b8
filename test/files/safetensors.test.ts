import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import {
  encodeSafetensors,
  readSafetensors,
  type SafetensorsTensor,
  writeSafetensors,
} from "../../src/files/index.js";
import { encode, handmade, small } from "./safetensors-files.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sqa-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("reading", () => {
  const header = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  const data = new Uint8Array([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);

  // The length of this header is no multiple of 4, so the float32 data lies askew and has to be copied.
  test.each([header, `${header} `, `${header}   `])("reads a file made by hand, aligned or not", (text) => {
    const expected = { dtype: "float32", shape: [2], data: new Float32Array([1, -2]) };
    const path = join(folder, "by-hand.safetensors");
    writeFileSync(path, handmade(text, data));
    for (const source of [handmade(text, data), path]) {
      const { tensors, metadata } = readSafetensors(source);
      expect([...tensors]).toEqual([["a", expected]]);
      expect(metadata).toEqual({ format: "pt" });
    }
  });

  test("names keys like those of Object's prototype without harm", () => {
    const entry = '{"dtype":"I64","shape":[],"data_offsets":[0,8]}';
    const { tensors, metadata } = readSafetensors(
      handmade(`{"__metadata__":{"toString":"x"},"constructor":${entry}}`, new Uint8Array(8)),
    );
    expect([...tensors.keys()]).toEqual(["constructor"]);
    expect(Object.entries(metadata)).toEqual([["toString", "x"]]);
  });

  test("widens every other type, as the reference implementation's own file says", () => {
    const golden = fileURLToPath(new URL("../golden/torch/element-types.safetensors", import.meta.url));
    const { tensors } = readSafetensors(golden);
    const found = Object.fromEntries(
      [...tensors].map(([name, { dtype, shape, data }]) => [name, [dtype, shape, [...data]]]),
    );
    expect(found).toEqual({
      float16: ["float32", [7], [1.5, -2.25, 65504, 2 ** -24, -0, Number.POSITIVE_INFINITY, Number.NaN]],
      float64: ["float32", [3], [Math.fround(1 / 3), Number.POSITIVE_INFINITY, -1.5]],
      int32: ["int64", [1, 2], [1n, 2n ** 31n - 1n]],
      int16: ["int64", [1, 2], [1n, -(2n ** 15n)]],
      int8: ["int64", [1, 2], [1n, -128n]],
      uint32: ["int64", [1, 2], [1n, 2n ** 32n - 1n]],
      uint16: ["int64", [1, 2], [1n, 2n ** 16n - 1n]],
      uint8: ["int64", [1, 2], [1n, 255n]],
      bool: ["int64", [2], [1n, 0n]],
    });
  });

  test.each(["null", "{}"])("reads metadata of %s as none", (text) => {
    expect(readSafetensors(handmade(`{"__metadata__":${text}}`))).toEqual({
      tensors: new Map(),
      metadata: {},
    });
  });

  test.each([
    [
      "torch/state-dict.pt",
      "it is a zip archive, as PyTorch's checkpoints are: sqa import FILE --out W.safetensors",
    ],
    ["torch/legacy.pt", "older ones must be saved again by torch.save, and then imported"],
  ])("says what %s is, and what to do", (name, remedy) => {
    const file = fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
    for (const source of [file, readFileSync(file)]) {
      expect(() => readSafetensors(source)).toThrow(FileFormatError);
      expect(() => readSafetensors(source)).toThrow(`: not a safetensors file; ${remedy}`);
    }
  });

  test.each([
    [
      "version https://example.org/v1\noid sha256:0\n",
      "it is what Git keeps in place of a large file: git lfs pull fetches the file itself",
    ],
    [
      "\n<!DOCTYPE html><html>quota exceeded</html>",
      "it is a web page: the download was refused or redirected",
    ],
    ["\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0", "it is an HDF5 file"],
  ])("says what a file that begins with %j is", (text, remedy) => {
    expect(() => readSafetensors(Buffer.from(text, "latin1"))).toThrow(`not a safetensors file; ${remedy}`);
  });

  test("refuses what is no file, and lets a missing file's own error through", () => {
    expect(() => readSafetensors(folder)).toThrow(new FileFormatError(`${folder}: not a regular file`));
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(() => readSafetensors(pipe)).toThrow(new FileFormatError(`${pipe}: not a regular file`));
    expect(() => readSafetensors(join(folder, "none"))).toThrow("ENOENT");
  });

  test("allocates nothing for a small file that claims much", () => {
    const path = join(folder, "sparse.safetensors");
    writeFileSync(
      path,
      handmade('{"a":{"dtype":"F32","shape":[9000000000000],"data_offsets":[0,36000000000000]}}'),
    );
    truncateSync(path, 10_000);
    expect(() => readSafetensors(path)).toThrow(
      /tensor "a": data ends at byte 36000000000000, but the file holds \d+/,
    );
  });
});

describe("writing", () => {
  test("lays a file out as documented", () => {
    const bytes = encode(small.slice(0, 3), { b: "2", a: "1", 7: "0" });
    const headerLength = Number(bytes.readBigUInt64LE(0));
    expect(headerLength % 8).toBe(0);
    expect(bytes.toString("utf8", 8, 8 + headerLength).trimEnd()).toBe(
      '{"__metadata__":{"7":"0","a":"1","b":"2"},' +
        '"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
        '"weight":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},' +
        '"half":{"dtype":"BF16","shape":[3],"data_offsets":[24,30]}}',
    );
    const data = bytes.subarray(8 + headerLength);
    expect(data.length).toBe(30);
    expect(data.readBigInt64LE(0)).toBe(-(2n ** 63n));
    expect(data.readFloatLE(12)).toBe(-2);
    expect(data.readUInt16LE(24)).toBe(0x3f80);
  });

  test("gives the same bytes whatever the order given", () => {
    const there = encode(small, { a: "1", b: "2" });
    const back = encode([...small].reverse(), { b: "2", a: "1" });
    expect(back.equals(there)).toBe(true);
  });

  test("replaces a file with the encoded bytes and leaves no other", () => {
    const home = join(folder, "write");
    mkdirSync(home);
    const path = join(home, "weights.safetensors");
    writeFileSync(path, "old");
    writeSafetensors(path, new Map(small), { step: "3" });
    expect(readFileSync(path).equals(encode(small, { step: "3" }))).toBe(true);
    expect(readdirSync(home)).toEqual(["weights.safetensors"]);
    expect(readSafetensors(path).metadata).toEqual({ step: "3" });
  });

  test("writes the part of a buffer that a view shows", () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const { tensors } = readSafetensors(encode([["a", { dtype: "float32", shape: [2], data }]]));
    expect(tensors.get("a")?.data).toEqual(new Float32Array([1, 2]));
  });

  test("what is written is read back", () => {
    const name = fc
      .string({ unit: "grapheme" })
      .filter((text) => text !== "__proto__" && text !== "__metadata__");
    const shape = fc.array(fc.nat(3), { maxLength: 4 });
    const elements = (sizes: number[]) => sizes.reduce((product, size) => product * size, 1);
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const tensor = shape.chain((sizes) =>
      fc.constantFrom("float32" as const, "bfloat16" as const, "int64" as const).chain((dtype) => {
        const width = { float32: 4, bfloat16: 2, int64: 8 }[dtype];
        return bytes(elements(sizes) * width).map((raw): SafetensorsTensor => {
          if (dtype === "float32") return { dtype, shape: sizes, data: new Float32Array(raw.slice().buffer) };
          if (dtype === "bfloat16") return { dtype, shape: sizes, data: new Uint16Array(raw.slice().buffer) };
          return { dtype, shape: sizes, data: new BigInt64Array(raw.slice().buffer) };
        });
      }),
    );
    const raw = ({ data }: SafetensorsTensor) =>
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
    const pairs = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });
    fc.assert(
      fc.property(pairs, fc.dictionary(name, fc.string({ unit: "grapheme" })), (tensors, metadata) => {
        const read = readSafetensors(encode(tensors, metadata));
        expect(new Set(read.tensors.keys())).toEqual(new Set(tensors.map(([key]) => key)));
        for (const [key, { dtype, shape: sizes, ...rest }] of tensors) {
          const found = read.tensors.get(key)!;
          expect([found.dtype, found.shape, raw(found)]).toEqual([
            dtype,
            sizes,
            raw({ dtype, shape: sizes, ...rest } as SafetensorsTensor),
          ]);
        }
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
      { numRuns: 150 },
    );
  });

  const good = small[0]![1];
  test.each<[string, [string, unknown][], Record<string, string>, string]>([
    ["shape", [["a", { ...good, shape: [3] }]], {}, 'tensor "a": shape [3] does not fit 4 elements'],
    [
      "negative shape",
      [["a", { ...good, shape: [-2, -2] }]],
      {},
      'tensor "a": shape [-2,-2] does not fit 4 elements',
    ],
    [
      "dtype",
      [["a", { ...good, dtype: "int8" }]],
      {},
      'tensor "a": dtype must be float32, bfloat16, int64, not int8',
    ],
    [
      "data",
      [["a", { ...good, data: [1, 2, 3, 4] }]],
      {},
      'tensor "a": data of float32 must be a Float32Array',
    ],
    ["reserved name", [["__metadata__", good]], {}, "tensor name must not be __metadata__"],
    ["hostile name", [["__proto__", good]], {}, "tensor name must not be __proto__"],
    ["name of half a character", [["\ud800", good]], {}, 'tensor name "\\ud800" is not well-formed Unicode'],
    [
      "name twice",
      [
        ["a", good],
        ["a", good],
      ],
      {},
      'tensor name "a" occurs twice',
    ],
    ["metadata", [], { a: 1 as unknown as string }, 'metadata "a" must be a string, not number'],
  ])("refuses a wrong %s", (_, tensors, metadata, message) => {
    expect(() => encodeSafetensors(tensors as [string, SafetensorsTensor][], metadata)).toThrow(message);
  });
});
