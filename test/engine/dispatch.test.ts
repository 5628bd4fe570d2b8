import { expect, it } from "vitest";
import { call, operator } from "../../src/engine/dispatch.js";
import { type Tensor, tensor } from "../../src/engine/index.js";
import { native } from "../../src/engine/native.js";

const integers = (...values: number[]) => tensor(values, [values.length], "int64");
const called = (name: string, overload: string, ...args: readonly (Tensor | number)[]) =>
  (call(operator(`aten::${name}`, overload), args) as Tensor).toNumbers();

it("gives the results of operators whose names end as those in place do", () => {
  const [a, b] = [integers(6, 5), integers(3, 4)];
  expect(called("__and__", "Tensor", a, b)).toEqual([2, 4]);
  expect(called("__or__", "Tensor", a, b)).toEqual([7, 5]);
  expect(called("__xor__", "Tensor", a, b)).toEqual([5, 1]);
  expect(called("__lshift__", "Scalar", a, 1)).toEqual([12, 10]);
  expect(called("__rshift__", "Scalar", a, 1)).toEqual([3, 2]);
  expect(a.toNumbers()).toEqual([6, 5]);
});

it("gives nothing of operators in place, whose result the caller holds", () => {
  const a = integers(6, 5);
  expect(call(operator("aten::add_", "Tensor"), [a, integers(1, 1)])).toBeUndefined();
  expect(call(operator("aten::__iand__", "Tensor"), [a, integers(3, 4)])).toBeUndefined();
  expect(a.toNumbers()).toEqual([3, 4]);
});

it("refuses a kernel whose size no number holds, before anything is read by it", () => {
  const input = tensor(new Float32Array(2), [1, 2, 1, 1]);
  const empty = tensor([], [1, 1, 0, 16]);
  const geometry = [2 ** 20, 2 ** 20, 1, 1, 2 ** 20, 2 ** 20];
  const weights = [empty.handle, empty.handle, input.handle, null] as const;
  expect(() =>
    native().packedLayer(input.handle, null, ...weights, 2 ** 24, 16, geometry, false, false),
  ).toThrow(/is too large/);
});
