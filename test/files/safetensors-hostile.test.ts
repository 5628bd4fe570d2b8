import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { readSafetensors } from "../../src/files/index.js";
import { encode, handmade, small } from "./safetensors-files.js";

describe("hostile files", () => {
  const entry = (shape: string, begin: number | string, end: number | string, dtype = "F32") =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
  const one = (text: string) => `{"a":${text}}`;
  const eight = new Uint8Array(8);
  const prefix = (length: bigint) => {
    const bytes = Buffer.alloc(16, 0x20);
    bytes.writeBigUInt64LE(length);
    return bytes;
  };

  test.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "0 bytes are too few for a safetensors file or a PyTorch checkpoint"],
    ["seven bytes", new Uint8Array(7), "7 bytes are too few for a safetensors file or a PyTorch checkpoint"],
    [
      "header of 2^63",
      prefix(2n ** 63n),
      "header length 9223372036854775808 is over the limit of 100000000 bytes",
    ],
    [
      "header over 100 MB",
      prefix(100_000_001n),
      "header length 100000001 is over the limit of 100000000 bytes: this is neither a safetensors file nor",
    ],
    ["header beyond the file", prefix(9n), "header of 9 bytes does not fit into a file of 16 bytes"],
    ["header empty", handmade(""), "header must be a JSON object that begins with {"],
    ["header a list", handmade("[]"), "header must be a JSON object that begins with {"],
    ["byte order mark", handmade("\ufeff{}"), "header must be a JSON object that begins with {"],
    ["not UTF-8", handmade(new Uint8Array([0x7b, 0xff, 0x7d])), "header is not UTF-8"],
    ["not JSON", handmade("{a:1}"), "header is not valid: "],
    ["text after the object", handmade("{} {}"), "header is not valid: "],
    ["ends inside a string", handmade('{"a'), "header is not valid: it ends inside a string"],
    ["ends inside an escape", handmade('{"a\\'), "header is not valid: it ends inside a string"],
    ["bad escape in a key", handmade('{"\\x":1}'), 'header is not valid: "\\x" is not a string of JSON'],
    [
      "depth bomb",
      handmade('{"a":'.repeat(100_000)),
      "header is not valid: it is nested deeper than 3 levels",
    ],
    [
      "depth bomb of lists",
      handmade(`{"a":${"[".repeat(1e6)}`),
      "header is not valid: it is nested deeper than 3 levels",
    ],
    [
      "key twice",
      handmade(`{"a":${entry("[1]", 0, 4)},"a":${entry("[1]", 4, 8)}}`, eight),
      'header is not valid: the key "a" occurs twice',
    ],
    [
      "key twice, once escaped",
      handmade(`{"a":${entry("[1]", 0, 4)},"\\u0061" :${entry("[1]", 4, 8)}}`, eight),
      'header is not valid: the key "a" occurs twice',
    ],
    [
      "field twice",
      handmade('{"a":{"shape":[1],"shape":[2]}}'),
      'header is not valid: the key "shape" occurs twice',
    ],
    [
      "__proto__",
      handmade(`{"__proto__":${entry("[2]", 0, 8)}}`, eight),
      'the key "__proto__" is not allowed',
    ],
    [
      "__proto__ in metadata",
      handmade('{"__metadata__":{"__proto__":"x"}}'),
      'the key "__proto__" is not allowed',
    ],
    [
      "metadata a list",
      handmade('{"__metadata__":["a"]}'),
      '__metadata__ must be an object of strings, found ["a"]',
    ],
    [
      "metadata text",
      handmade('{"__metadata__":"x"}'),
      '__metadata__ must be an object of strings, found "x"',
    ],
    ["metadata number", handmade('{"__metadata__":{"a":1}}'), '__metadata__ "a" must be a string, found 1'],
    ["entry no object", handmade(one("3")), 'tensor "a": must be an object, found 3'],
    ["entry a list", handmade(one("[]")), 'tensor "a": must be an object, found []'],
    ["no dtype", handmade(one('{"shape":[],"data_offsets":[0,0]}')), 'tensor "a": lacks "dtype"'],
    ["no shape", handmade(one('{"dtype":"F32","data_offsets":[0,0]}')), 'tensor "a": lacks "shape"'],
    ["no offsets", handmade(one('{"dtype":"F32","shape":[]}')), 'tensor "a": lacks "data_offsets"'],
    [
      "unknown field",
      handmade(one('{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}')),
      'tensor "a": unknown field "x"',
    ],
    [
      "other dtype",
      handmade(one(entry("[8]", 0, 8, "F8_E4M3")), eight),
      'tensor "a": dtype "F8_E4M3" is not supported; supported: F32, BF16, I64, F64, F16, I32, I16, I8, U32, U16, U8, BOOL',
    ],
    [
      "dtype of the prototype",
      handmade(one(entry("[8]", 0, 8, "toString")), eight),
      'dtype "toString" is not supported',
    ],
    [
      "negative size",
      handmade(one(entry("[-2]", 0, 8)), eight),
      "shape must be a list of integers in [0, 2^53), found [-2]",
    ],
    ["fractional size", handmade(one(entry("[0.5]", 0, 8)), eight), "found [0.5]"],
    ["size as text", handmade(one(entry('["2"]', 0, 8)), eight), 'found ["2"]'],
    ["size of 2^53", handmade(one(entry("[9007199254740992]", 0, 8)), eight), "found [9007199254740992]"],
    ["shape a number", handmade(one(entry("2", 0, 8)), eight), "found 2"],
    [
      "product over 2^53",
      handmade(one(entry("[4503599627370496,4]", 0, 8)), eight),
      'tensor "a": shape [4503599627370496,4] has 2^53 elements or more',
    ],
    [
      "product over 2^53 beside a zero",
      handmade(one(entry("[0,4503599627370496,4]", 0, 0)), new Uint8Array(0)),
      'tensor "a": shape [0,4503599627370496,4] has 2^53 elements or more',
    ],
    [
      "wrong length",
      handmade(one(entry("[3]", 0, 8)), eight),
      'tensor "a": F32 of shape [3] takes 12 bytes, but data_offsets span 8',
    ],
    [
      "begin after end",
      handmade(one(entry("[2]", 8, 0)), eight),
      "data_offsets begin at 8, after their end at 0",
    ],
    [
      "negative offset",
      handmade(one(entry("[2]", -8, 0)), eight),
      "data_offsets must be two integers in [0, 2^53)",
    ],
    [
      "fractional offset",
      handmade(one(entry("[2]", 0, 7.5)), eight),
      "data_offsets must be two integers in [0, 2^53)",
    ],
    [
      "huge offset",
      handmade(one(entry("[2]", 0, "1e300")), eight),
      "data_offsets must be two integers in [0, 2^53)",
    ],
    [
      "three offsets",
      handmade(one('{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}'), eight),
      "data_offsets must be two integers",
    ],
    [
      "out of range",
      handmade(one(entry("[4]", 0, 16)), eight),
      "data ends at byte 16, but the file holds 8 bytes of data",
    ],
    [
      "overlap",
      handmade(`{"a":${entry("[1]", 0, 4)},"b":${entry("[1]", 2, 6)}}`, new Uint8Array(6)),
      'tensor "b": overlaps tensor "a" at byte 2',
    ],
    [
      "the same bytes twice",
      handmade(`{"a":${entry("[2]", 0, 8)},"b":${entry("[2]", 0, 8)}}`, eight),
      'tensor "b": overlaps tensor "a" at byte 0',
    ],
    [
      "hole",
      handmade(one(entry("[1]", 4, 8)), eight),
      'tensor "a": 4 bytes before it, at 0, belong to no tensor',
    ],
    [
      "trailing bytes",
      handmade(one(entry("[1]", 0, 4)), eight),
      "4 bytes after the last tensor belong to no tensor",
    ],
  ])("%s", (_, bytes, message) => {
    let caught: unknown;
    try {
      readSafetensors(bytes);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(FileFormatError);
    expect((caught as Error).message).toContain("safetensors bytes: ");
    expect((caught as Error).message).toContain(message);
  });

  test("every truncation of a valid file is refused", () => {
    const whole = encode(small, { note: "x" });
    for (let length = 0; length < whole.length; length++) {
      expect(() => readSafetensors(whole.subarray(0, length))).toThrow(FileFormatError);
    }
  });

  test("any bytes changed anywhere are read or refused, never another error", () => {
    const whole = encode(small, { note: "x" });
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FileFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
