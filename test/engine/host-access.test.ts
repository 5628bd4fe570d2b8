import { describe, expect, test } from "vitest";
import {
  captureGraph,
  countedUniform,
  imageIdRange,
  operators as ops,
  quantizeActivation,
  tensor,
  withoutHostAccess,
} from "../../src/engine/index.js";

describe("without host access", () => {
  const x = tensor([3, 4]);

  test.each([
    ["a tensor was read", () => x.sum().item()],
    ["a tensor was read", () => x.toNumbers()],
    ["a tensor was read", () => x.to("bfloat16").toArray()],
    ["a tensor was read", () => x.shareArray()],
    ["a tensor was written to", () => x.write(Float32Array.of(3, 4))],
    ["a tensor was made of numbers", () => tensor([1])],
    ["a tensor was made of numbers", () => imageIdRange(0, 2)],
    ["operator aten::nonzero was called", () => x.nonzero()],
    ["operator aten::zeros was called without a device", () => ops.zeros([2])],
    ["operator aten::full was called without a device", () => ops.full([2], 1, "float32")],
    ["operator aten::arange was called without a device", () => ops.arange(0, 2)],
  ])("%s: an error", (what, body) => {
    expect(() => withoutHostAccess(body)).toThrow(
      `${what}, where the work of a device must not wait for the program`,
    );
    body();
  });

  test("tensors are computed with", () => {
    const y = withoutHostAccess(() => ops.full([2], 2, "float32", x.device).mul(x).sum());
    expect(y.item()).toBe(14);
  });

  test("holds as far as its function, also when that throws, and within another", () => {
    expect(() => withoutHostAccess(() => withoutHostAccess(() => x.toArray()))).toThrow("a tensor was read");
    expect(() =>
      withoutHostAccess(() => {
        withoutHostAccess(() => x.sum());
        x.toArray();
      }),
    ).toThrow("a tensor was read");
    expect(x.toNumbers()).toEqual([3, 4]);
  });
});

test("write sets the elements of every view, and refuses what does not fit", () => {
  const table = ops.zeros([4], "int64");
  const last = table.slice(0, 2, 4);
  table.write(BigInt64Array.of(1n, 2n, 3n, 2n ** 40n));
  expect(last.toNumbers()).toEqual([3, 2 ** 40]);
  last.write(BigInt64Array.of(5n, 6n));
  expect(table.toNumbers()).toEqual([1, 2, 5, 6]);
  expect(() => table.write(BigInt64Array.of(1n))).toThrow("write takes a BigInt64Array of 4 elements");
  expect(() => table.write(Float32Array.of(1, 2, 3, 4))).toThrow("write takes a BigInt64Array of 4 elements");
  expect(() => tensor([1, 2]).to("bfloat16").write(Float32Array.of(1, 2))).toThrow(TypeError);
  expect(() => ops.zeros([2, 3]).permute([1, 0]).write(new Float32Array(6))).toThrow(
    "only a contiguous tensor",
  );
});

test("a graph is captured on a CUDA device alone", () => {
  expect(() => captureGraph("cpu", () => [])).toThrow("to capture a graph, not cpu");
});

describe("a seed in a tensor", () => {
  const seed = { low: 3_000_000_000, high: 7 };
  const imageIds = imageIdRange(2, 3);
  const words = (first: number) => tensor(Float64Array.of(seed.low, seed.high, first), [3], "int64");

  test("draws what its words do, its third word being what the draw is counted from", () => {
    const expected = countedUniform({ seed, draw: 9, imageIds }, 4, [5]).toArray();
    const at = { seed: words(7), draw: 2, imageIds };
    expect(countedUniform(at, 4, [5]).toArray()).toEqual(expected);
    at.seed.write(BigInt64Array.of(BigInt(seed.low), BigInt(seed.high), 8n));
    const later = countedUniform({ seed, draw: 10, imageIds }, 4, [5]).toArray();
    expect(countedUniform(at, 4, [5]).toArray()).toEqual(later);
    const h = ops.arange(0, 60, 1, "float32").reshape([3, 2, 10]).mul(0.37);
    const option = { lambda: 2, range: "image", rounding: "stochastic" } as const;
    const quantized = (noise: typeof at | { seed: typeof seed; draw: number; imageIds: typeof imageIds }) =>
      quantizeActivation(h, option, { noise, stream: 1 }).toArray();
    expect(quantized(at)).toEqual(quantized({ seed, draw: 10, imageIds }));
  });

  test("of another kind is refused", () => {
    const drawn = (bad: ReturnType<typeof tensor>) => () =>
      countedUniform({ seed: bad, draw: 0, imageIds }, 0, [2]);
    expect(drawn(tensor([1, 2, 3]))).toThrow("the words of a seed must be int64 of shape [3], not Float [3]");
    expect(drawn(tensor([1, 2], [2], "int64"))).toThrow(
      "the words of a seed must be int64 of shape [3], not Long [2]",
    );
  });
});
