import { inspect } from "node:util";
import { expect, test } from "vitest";
import { operators as ops, tensor, withoutHostAccess } from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";

test.each([
  [tensor([0.1, 2, -3]), "Tensor(float32, [3], cpu) { 0.1, 2, -3 }"],
  [tensor(Float64Array.of(Math.PI)), "Tensor(float64, [1], cpu) { 3.1416 }"],
  [tensor([1, 0], [2], "bool"), "Tensor(bool, [2], cpu) { true, false }"],
  [tensor([2 ** 40], [], "int64"), "Tensor(int64, [], cpu) { 1099511627776 }"],
  [tensor([1, Number.NaN]).to("bfloat16"), "Tensor(bfloat16, [2], cpu) { 1, NaN }"],
  [ops.arange(0, 24).reshape([2, 3, 4]), "Tensor(int64, [2, 3, 4], cpu) { 0, 1, 2, 3, 4, 5, ... 18 more }"],
  [ops.arange(0, 6).reshape([2, 3]).permute([1, 0]), "Tensor(int64, [3, 2], cpu) { 0, 3, 1, 4, 2, 5 }"],
  [ops.zeros([3, 0, 2]), "Tensor(float32, [3, 0, 2], cpu) {}"],
  [ops.ones([1]).requireGrad(), "Tensor(float32, [1], cpu) { 1 }"],
])("a tensor is shown with its first values, row by row: %#", (given, shown) => {
  expect(inspect(given)).toBe(shown);
  expect(inspect({ given })).toContain(shown);
  expect(String(given)).toBe(shown.slice(0, shown.indexOf(" {")));
});

test("a large tensor costs no more than its first values, and leaves nothing", () => {
  // Shown through a view of a terabyte, which could not be copied.
  const large = ops.zeros([1, 1, 1]).expand([2 ** 14, 2 ** 12, 2 ** 12]);
  const before = liveCount();
  expect(inspect(large)).toBe(
    `Tensor(float32, [16384, 4096, 4096], cpu) { 0, 0, 0, 0, 0, 0, ... ${2 ** 38 - 6} more }`,
  );
  expect(liveCount()).toBe(before);
});

test("where values cannot be read none are shown", () => {
  const given = tensor([1, 2]);
  expect(withoutHostAccess(() => inspect(given))).toBe("Tensor(float32, [2], cpu)");
  given.dispose();
  expect(inspect(given)).toBe("Tensor(disposed)");
});
