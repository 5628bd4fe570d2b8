import { describe, expect, it } from "vitest";
import { scope, tensor } from "../../../src/engine/index.js";
import type { Pt2Argument } from "../../../src/files/index.js";
import { lowerAten } from "../../../src/models/exported/aten/lower-node.js";
import { gradientOf } from "../../../src/models/exported/aten/stand-ins.js";
import { noiseOf } from "./fixtures.js";

const run = () => [];
const roleOf = (name: string) => gradientOf({ name, overload: "", run, argumentsOf: run });

describe("roles of operators for gradients", () => {
  it.each([
    ["div", "divide"],
    ["mul", "multiply"],
    ["sub", "subtract"],
    ["neg", "negative"],
    ["abs", "absolute"],
    ["clamp", "clip"],
    ["cat", "concat"],
    ["cat", "concatenate"],
    ["transpose", "swapaxes"],
    ["transpose", "swapdims"],
    ["movedim", "moveaxis"],
    ["expand", "broadcast_to"],
    ["repeat", "tile"],
    ["gt", "greater"],
    ["ge", "greater_equal"],
    ["lt", "less"],
    ["le", "less_equal"],
    ["ne", "not_equal"],
    ["trunc", "fix"],
  ])("%s has that of %s", (name, alias) => {
    const [own, other] = [roleOf(name), roleOf(alias)];
    expect(Object.keys(other)).toEqual(Object.keys(own));
    expect([other.gradient, other.mask]).toEqual([own.gradient, own.mask]);
  });

  it.each(["div.Tensor_mode", "divide.Tensor_mode", "floor_divide"])(
    "%s rounds, and divides smoothly",
    (target) => {
      const [name, overload = ""] = target.split(".");
      const given: Record<string, Pt2Argument> = {
        self: { kind: "tensor", name: "a" },
        other: { kind: "tensor", name: "b" },
        ...(overload === "" ? {} : { rounding_mode: { kind: "text", value: "floor" } }),
      };
      const inputs = Object.entries(given).map(([name, value]) => ({ name, value }));
      const outputs: Pt2Argument[] = [{ kind: "tensor", name: "made" }];
      const node = { name: "node", target: `torch.ops.aten.${target}`, inputs, outputs };
      const lowered = lowerAten(node, { name: name!, overload }, () => undefined)!;
      const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };
      scope(() => {
        const tensors = [tensor([7, -7], [2]), tensor([2, 2], [2])];
        expect(lowered.gradient).toBe("blocks");
        expect(lowered.standIn!(tensors, context).toNumbers()).toEqual([3.5, -3.5]);
      });
    },
  );
});
