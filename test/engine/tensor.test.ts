import { describe, expect, test } from "vitest";
import { TensorError } from "../../src/base/index.js";
import { type DType, operators as ops, type TypedArray, tensor } from "../../src/engine/index.js";

describe("tensor", () => {
  test.each<[string, TypedArray, DType]>([
    ["Uint8Array", new Uint8Array([0, 1, 255]), "uint8"],
    ["Int32Array", new Int32Array([-1, 0, 2 ** 31 - 1]), "int32"],
    ["BigInt64Array", new BigInt64Array([-1n, 0n, 2n ** 62n]), "int64"],
    ["Float32Array", new Float32Array([-0.5, 0, 3.5]), "float32"],
    ["Float64Array", new Float64Array([-0.1, 0, 1e300]), "float64"],
  ])("keeps the elements and the type of a %s", (_, array, dtype) => {
    using made = tensor(array);
    expect([made.shape, made.dtype, made.device, made.size]).toEqual([[3], dtype, "cpu", 3]);
    expect(made.toArray()).toEqual(array);
  });

  test("copies: neither side sees the other change", () => {
    const array = new Float32Array([1, 2]);
    using made = tensor(array);
    array[0] = 9;
    (made.toArray() as Float32Array)[1] = 9;
    expect(made.toNumbers()).toEqual([1, 2]);
  });

  test("reads the part of a buffer that a typed array views", () => {
    using made = tensor(new Float32Array([0, 1, 2, 3]).subarray(1, 3));
    expect(made.toNumbers()).toEqual([1, 2]);
  });

  test("takes numbers, as float32 unless told otherwise", () => {
    using scalar = tensor(2.5);
    expect([scalar.shape, scalar.dtype, scalar.item()]).toEqual([[], "float32", 2.5]);
    using list = tensor([1, 2, 3, 4, 5, 6], [2, 3], "int64");
    expect([list.shape, list.dtype, list.toArray()]).toEqual([
      [2, 3],
      "int64",
      new BigInt64Array([1n, 2n, 3n, 4n, 5n, 6n]),
    ]);
    using empty = tensor([], [0, 3]);
    expect([empty.shape, empty.size, empty.toNumbers()]).toEqual([[0, 3], 0, []]);
    using flags = tensor([0, 2, -1], [3], "bool");
    expect(flags.toArray()).toEqual(new Uint8Array([0, 1, 1]));
  });

  test.each<[number, DType, string]>([
    [0.5, "int64", "data of int64 must be integers in -9007199254740991 .. 9007199254740991, not 0.5"],
    [Number.NaN, "int32", "data of int32 must be integers in -2147483648 .. 2147483647, not NaN"],
    [256, "uint8", "data of uint8 must be integers in 0 .. 255, not 256"],
  ])("refuses %d as %s, which would become another number", (value, dtype, message) => {
    expect(() => tensor([1, value], [2], dtype)).toThrow(new RangeError(message));
  });

  test("widens floats of 16 bits and short integers when they are read", () => {
    // float16 keeps 11 bits: 2049 lies midway between 2048 and 2050 and goes to the even one.
    using half = tensor([1, 2049, -0.5], [3], "float16");
    expect(half.toArray()).toEqual(new Float32Array([1, 2048, -0.5]));
    using byte = tensor([-128, 127], [2], "int8");
    expect([byte.dtype, byte.toArray()]).toEqual(["int8", new Int32Array([-128, 127])]);
    using short = tensor([-32768, 5], [2], "int16");
    expect(short.toArray()).toEqual(new Int32Array([-32768, 5]));
  });

  test("rounds to bfloat16 and widens it to float32 when read", () => {
    // bfloat16 keeps 8 bits: 257 lies midway between 256 and 258 and goes to the even one.
    using made = tensor([1, 257, 3.140625], [3], "bfloat16");
    expect(made.dtype).toBe("bfloat16");
    expect(made.toArray()).toEqual(new Float32Array([1, 256, 3.140625]));
    expect(() => made.shareArray()).toThrow(
      new TypeError("JavaScript has no array type for bfloat16: convert to float32"),
    );
  });

  test.each<[string, () => unknown, Error]>([
    [
      "a shape of another size",
      () => tensor([1, 2, 3], [2, 2]),
      new RangeError("shape [2, 2] takes 4 elements, not 3"),
    ],
    ["a negative side", () => tensor([1], [-1]), new RangeError("shape must hold integers >= 0, not [-1]")],
    ["a broken side", () => tensor([1], [0.5]), new RangeError("shape must hold integers >= 0, not [0.5]")],
    [
      "a shape that is no array",
      () => tensor([1], 1 as never),
      new TypeError("shape must be an array of integers, not 1"),
    ],
    [
      "text",
      () => tensor("12" as never),
      new TypeError("data must be a number, an array of numbers or a typed array"),
    ],
    [
      "texts",
      () => tensor(["1"] as never),
      new TypeError("data must be a number, an array of numbers or a typed array"),
    ],
    [
      "another typed array",
      () => tensor(new Int16Array(2) as never),
      new TypeError("data must be a Uint8Array, Int32Array, BigInt64Array, Float32Array or Float64Array"),
    ],
    [
      "an unknown dtype",
      () => tensor([1], [1], "complex64" as never),
      new RangeError(
        "dtype must be one of uint8, int8, int16, int32, int64, float16, float32, float64, bool, bfloat16, not complex64",
      ),
    ],
    [
      "a dtype that every object has",
      () => tensor([1], [1], "constructor" as never),
      new RangeError(
        "dtype must be one of uint8, int8, int16, int32, int64, float16, float32, float64, bool, bfloat16, not constructor",
      ),
    ],
    [
      "item() of two",
      () => tensor([1, 2], [1, 2]).item(),
      new RangeError("item() takes a tensor of one element, not of shape [1, 2]"),
    ],
    [
      "an unknown layout",
      () => tensor([1]).contiguous("nchw" as never),
      new RangeError("memory format must be one of contiguous, preserve, channelsLast, not nchw"),
    ],
  ])("refuses %s", (_, make, error) => {
    expect(make).toThrow(error);
  });
});

describe("shareArray", () => {
  test("writes through in both directions, twice over", () => {
    const made = tensor([1, 2, 3]);
    const array = made.shareArray();
    const again = made.shareArray();
    array[0] = 7;
    made.add_(1);
    expect([...array]).toEqual([8, 3, 4]);
    expect([...again]).toEqual([8, 3, 4]);
  });

  test("keeps the memory alive after the tensor is disposed", () => {
    const arrays = Array.from({ length: 20 }, (_, i) => {
      const made = ops.full([100_000], i + 0.5);
      const array = made.shareArray();
      made.dispose();
      ops.zeros([100_000]).dispose();
      return array;
    });
    for (const [i, array] of arrays.entries()) expect(array.every((value) => value === i + 0.5)).toBe(true);
  });

  test("views a part of a tensor, and nothing of an empty one", () => {
    using whole = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    using row = whole.select(0, 1);
    row.shareArray()[0] = 9;
    expect(whole.toNumbers()).toEqual([1, 2, 9, 4, 5, 6]);
    expect(tensor([], [0]).shareArray()).toEqual(new Float32Array(0));
  });

  test("refuses a tensor whose elements are not in row-major order", () => {
    using transposed = tensor([1, 2, 3, 4], [2, 2]).permute([1, 0]);
    expect(() => transposed.shareArray()).toThrow(TensorError);
    expect(transposed.toNumbers()).toEqual([1, 3, 2, 4]);
  });
});
