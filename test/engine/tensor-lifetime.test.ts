import { describe, expect, test } from "vitest";
import { TensorError, UseAfterDisposeError } from "../../src/base/index.js";
import { liveTensors, operators as ops, tensor } from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";

describe("dispose", () => {
  test("frees at once, and once only", () => {
    liveCount();
    const before = liveTensors();
    const made = ops.zeros([1024]);
    const during = liveTensors();
    expect(during.tensors - before.tensors).toBe(1);
    expect(during.bytes - before.bytes).toBeGreaterThanOrEqual(4096);
    made.dispose();
    made.dispose();
    expect(liveTensors()).toEqual(before);
    expect([made.disposed, String(made)]).toEqual([true, "Tensor(disposed)"]);
  });

  test("leaves a view that still needs the memory intact", () => {
    const base = tensor([1, 2, 3, 4], [2, 2]);
    using row = base.select(0, 1);
    base.dispose();
    expect(row.toNumbers()).toEqual([3, 4]);
  });

  test("makes every later use an error", () => {
    const made = tensor([1]);
    made.dispose();
    for (const use of [
      () => made.shape,
      () => made.toArray(),
      () => made.shareArray(),
      () => made.item(),
      () => made.add(1),
      () => tensor([1]).add(made),
      () => made.requireGrad(),
      () => ops.cat([made]),
    ]) {
      expect(use).toThrow(UseAfterDisposeError);
    }
  });

  test("is what `using` calls, on the way out by an error too", () => {
    const before = liveCount();
    expect(() => {
      using made = tensor([1, 2, 3]);
      using sum = made.sum();
      expect(sum.item()).toBe(6);
      throw new Error("out");
    }).toThrow("out");
    expect(liveCount()).toBe(before);
  });
});

describe("a failed operator", () => {
  test.each<[string, RegExp, () => unknown]>([
    ["shapes", /^aten::matmul: /, () => ops.zeros([2, 3]).matmul(ops.zeros([2, 3]))],
    ["an index", /^aten::select: /, () => ops.zeros([2]).select(0, 5)],
    ["a negative side", /^aten::zeros: /, () => ops.zeros([-1])],
    ["more memory than there is", /^aten::zeros: /, () => ops.zeros([2 ** 50])],
    ["a device", /^aten::zeros: /, () => ops.zeros([1], "float32", "abacus")],
    [
      "a missing argument",
      /^aten::matmul: argument "other": expected a tensor$/,
      () => ops.zeros([1]).matmul(3 as never),
    ],
    [
      "a number that is no integer",
      /^aten::zeros: argument "size": expected integers, an integer/,
      () => ops.zeros([1.5]),
    ],
  ])("names itself in one line: %s", (_, message, run) => {
    let caught: unknown;
    try {
      run();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TensorError);
    expect((caught as TensorError).message).toMatch(message);
    expect((caught as TensorError).message).not.toContain("\n");
    expect(caught).toMatchObject({ name: "TensorError", code: "ERR_TORCH" });
  });
});
