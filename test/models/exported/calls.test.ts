import { describe, expect, it } from "vitest";
import { scope, type Tensor, tensor } from "../../../src/engine/index.js";
import type { Pt2Argument } from "../../../src/files/index.js";
import { lowerAten } from "../../../src/models/exported/aten/lower-node.js";
import { noiseOf } from "./fixtures.js";

type Given = Readonly<Record<string, Pt2Argument>>;

const value = (name: string): Pt2Argument => ({ kind: "tensor", name });
const number = (value: number, isFloat = false): Pt2Argument => ({ kind: "number", value, isFloat });
const sizes = (...values: number[]): Pt2Argument => ({ kind: "numbers", values, isFloat: false });

function lowered(target: string, given: Given) {
  const [name, overload = ""] = target.split(".");
  const inputs = Object.entries(given).map(([name, value]) => ({ name, value }));
  const node = { name: "node", target: `torch.ops.aten.${target}`, inputs, outputs: [value("made")] };
  return lowerAten(node, { name: name!, overload }, () => undefined)!;
}

const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };

/** Type and numbers of what one node of an ATen operator makes. */
function made(target: string, given: Given, tensors: readonly Tensor[]) {
  const { run } = lowered(target, given);
  const [result] = run(tensors, context) as readonly Tensor[];
  return [result!.dtype, result!.toNumbers()];
}

const whole = (...values: number[]) => tensor(BigInt64Array.from(values, BigInt), [values.length], "int64");
const mask = (...values: number[]) => tensor(values, [values.length]).to("bool");

describe("operators of Python's signs", () => {
  const signs: [target: string, wanted: readonly number[]][] = [
    ["__and__.Tensor", [12 & 10, 7 & 3]],
    ["__or__.Tensor", [12 | 10, 7 | 3]],
    ["__xor__.Tensor", [12 ^ 10, 7 ^ 3]],
    ["__lshift__.Tensor", [12 << 10, 7 << 3]],
    ["__rshift__.Tensor", [12 >> 10, 7 >> 3]],
    ["__iand__.Tensor", [12 & 10, 7 & 3]],
    ["__ilshift__.Tensor", [12 << 10, 7 << 3]],
  ];
  it.each(signs)("%s takes both sides", (target, wanted) => {
    scope(() => {
      const both = { self: value("a"), other: value("b") };
      expect(made(target, both, [whole(12, 7), whole(10, 3)])).toEqual(["int64", wanted]);
    });
  });

  it("take numbers and masks", () => {
    scope(() => {
      const four = { self: value("a"), other: number(2) };
      expect(made("__rshift__.Scalar", four, [whole(12, 7)])).toEqual(["int64", [3, 1]]);
      expect(made("__and__.Scalar", four, [whole(12, 7)])).toEqual(["int64", [0, 2]]);
      const both = { self: value("a"), other: value("b") };
      expect(made("__and__.Tensor", both, [mask(1, 1, 0), mask(1, 0, 1)])).toEqual(["bool", [1, 0, 0]]);
    });
  });
});

describe("floats without fraction", () => {
  const [a, condition] = [value("a"), value("c")];
  const [one, two, zero] = [number(1, true), number(2, true), number(0, true)];

  it("make floats where types are joined", () => {
    scope(() => {
      const exponent = { self: two, exponent: a };
      expect(made("pow.Scalar", exponent, [whole(-1, 3)])).toEqual(["float32", [0.5, 8]]);
      const picked = { condition, self: a, other: zero };
      expect(made("where.ScalarOther", picked, [mask(1, 0), whole(3, 4)])).toEqual(["float32", [3, 0]]);
      const first = { condition, self: one, other: a };
      expect(made("where.ScalarSelf", first, [mask(1, 0), whole(3, 4)])).toEqual(["float32", [1, 4]]);
      const both = { condition, self: one, other: number(0) };
      expect(made("where.Scalar", both, [mask(1, 0)])).toEqual(["float32", [1, 0]]);
      expect(made("mul.Tensor", { self: a, other: two }, [whole(3)])).toEqual(["float32", [6]]);
    });
  });

  it("leave the type of what is filled", () => {
    scope(() => {
      expect(made("full_like", { self: a, fill_value: two }, [whole(5)])).toEqual(["int64", [2]]);
      const sized = { self: a, size: sizes(2), fill_value: two };
      expect(made("new_full", sized, [whole(5)])).toEqual(["int64", [2, 2]]);
      const filled = { self: a, mask: condition, value: zero };
      expect(made("masked_fill.Scalar", filled, [whole(3, 4), mask(1, 0)])).toEqual(["int64", [0, 4]]);
    });
  });
});

it("a number may stand first, as decomposed graphs write 1 - x", () => {
  scope(() => {
    const given = { self: number(1), other: value("a") };
    expect(made("sub.Tensor", given, [tensor([0.25, 3], [2])])).toEqual(["float32", [0.75, -2]]);
    const float = { self: number(1, true), other: value("a") };
    expect(made("sub.Tensor", float, [whole(3)])).toEqual(["float32", [-2]]);
  });
});

it("a choice between numbers has a stand-in", () => {
  scope(() => {
    const smooth = tensor([0.25, 2], [2]);
    const both = { condition: value("c"), self: number(3, true), other: number(1) };
    expect(lowered("where.Scalar", both).standIn!([smooth], context).toNumbers()).toEqual([1.5, 5]);
    const first = { condition: value("c"), self: number(3), other: value("a") };
    const values = [smooth, tensor([1, 1], [2])];
    expect(lowered("where.ScalarSelf", first).standIn!(values, context).toNumbers()).toEqual([1.5, 5]);
  });
});
