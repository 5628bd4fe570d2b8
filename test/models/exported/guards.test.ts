import { describe, expect, it } from "vitest";
import { call, operator, scope, type Tensor, tensor } from "../../../src/engine/index.js";
import type { Pt2Argument } from "../../../src/files/index.js";
import { lowerAten } from "../../../src/models/exported/aten/lower-node.js";
import { onnxOperators } from "../../../src/models/exported/onnx/operators/all.js";
import { boundedIndices } from "../../../src/models/exported/onnx/operators/indexing.js";
import { images, noiseOf } from "./fixtures.js";

type Given = Readonly<Record<string, Pt2Argument>>;

const value = (name: string): Pt2Argument => ({ kind: "tensor", name });
const number = (value: number, isFloat = false): Pt2Argument => ({ kind: "number", value, isFloat });
const numbers = (...values: number[]): Pt2Argument => ({ kind: "numbers", values, isFloat: false });
const word = (value: string): Pt2Argument => ({ kind: "text", value });

/** Runs one node of an ATen operator. */
function run(target: string, given: Given, tensors: readonly Tensor[]): Tensor {
  const [name, overload = ""] = target.split(".");
  const inputs = Object.entries(given).map(([name, value]) => ({ name, value }));
  const node = { name: "node", target: `torch.ops.aten.${target}`, inputs, outputs: [value("made")] };
  const lowered = lowerAten(node, { name: name!, overload }, () => undefined)!;
  const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };
  const made = lowered.run(tensors, context)[0] as Tensor;
  // As the graph does, which writes what such a node makes.
  if (lowered.writes === "result") tensors[0]!.copy_(made);
  return made;
}

const least = { int32: -(2 ** 31), int64: -(2n ** 63n) } as const;
const wholes = (type: "int32" | "int64") => {
  const both = [
    [least[type], -7, 7, 8],
    [-1, -1, -1, 3],
  ] as const;
  return both.map((list) =>
    type === "int32"
      ? tensor(Int32Array.from(list, Number), [4], type)
      : tensor(BigInt64Array.from(list, BigInt), [4], type),
  ) as [Tensor, Tensor];
};

describe("whole numbers divided by -1, at which processors stop", () => {
  const dividing: [target: string, given: Given, wanted: readonly number[]][] = [
    ["div.Tensor_mode", { rounding_mode: word("trunc") }, [7, -7, 2]],
    ["div_.Tensor_mode", { rounding_mode: word("trunc") }, [7, -7, 2]],
    ["div.Tensor_mode", { rounding_mode: word("floor") }, [7, -7, 2]],
    ["floor_divide", {}, [7, -7, 2]],
    ["remainder.Tensor", {}, [0, 0, 2]],
    ["fmod.Tensor", {}, [0, 0, 2]],
    ["fmod_.Tensor", {}, [0, 0, 2]],
  ];
  it.each(dividing)("%s %o", (target, more, wanted) => {
    for (const type of ["int32", "int64"] as const) {
      scope(() => {
        const made = run(target, { self: value("a"), other: value("b"), ...more }, wholes(type));
        expect([made.dtype, made.toNumbers().slice(1)]).toEqual([type, wanted]);
      });
    }
  });

  it("in place, where the quotient is written to its dividend", () => {
    scope(() => {
      const [a, b] = wholes("int32");
      const made = run(
        "divide_.Tensor_mode",
        { self: value("a"), other: value("b"), rounding_mode: word("trunc") },
        [a, b],
      );
      for (const tensor of [made, a]) expect(tensor.toNumbers().slice(1)).toEqual([7, -7, 2]);
    });
  });

  it("by a number, beside floats, and without a sign", () => {
    scope(() => {
      const [whole] = wholes("int32");
      const given = { self: value("a"), other: number(-1), rounding_mode: word("trunc") };
      expect(run("div.Scalar_mode", given, [whole]).toNumbers().slice(1)).toEqual([7, -7, -8]);
      expect(run("fmod.Scalar", { self: value("a"), other: number(-1) }, [whole]).toNumbers()[1]).toBe(0);
      const float = tensor([5.5, -5.5], [2], "float32");
      expect(run("div.Scalar_mode", given, [float]).toNumbers()).toEqual([-5, 5]);
      const bytes = [tensor([200, 9], [2], "uint8"), tensor([255, 4], [2], "uint8")];
      const both = { self: value("a"), other: value("b") };
      expect(run("floor_divide", both, bytes).toNumbers()).toEqual([0, 2]);
    });
  });

  it("in ONNX", () => {
    for (const type of ["int32", "int64"] as const) {
      scope(() => {
        const world = { mostElements: 100 };
        const node = {
          world,
          int: (_: string, fallback: number) => fallback,
          refuse: () => new Error(),
        } as never;
        const made = (name: string) =>
          (onnxOperators[name]!.run(node, wholes(type), {} as never)[0] as Tensor).toNumbers().slice(1);
        expect(made("Div")).toEqual([7, -7, 2]);
        expect(made("Mod")).toEqual([0, 0, 2]);
      });
    }
  });
});

it("indices on a device, where none is looked at, lie within the side", () => {
  scope(() => {
    const indices = tensor(
      BigInt64Array.of(-(2n ** 63n), -4n, -3n, -1n, 0n, 2n, 3n, 2n ** 62n),
      [8],
      "int64",
    );
    expect(boundedIndices(indices, 3).toNumbers()).toEqual([0, 0, 0, 2, 0, 2, 2, 2]);
  });
});

describe("sizes that kernels trust", () => {
  const flag = (value: boolean): Pt2Argument => ({ kind: "bool", value });
  const upsample = (size: number, scale: number, corners?: boolean) => ({
    self: value("x"),
    output_size: numbers(size, size),
    ...(corners === undefined ? {} : { align_corners: flag(corners) }),
    scales_h: number(scale, true),
    scales_w: number(scale, true),
  });
  const bilinear = "upsample_bilinear2d";

  it.each([
    [16, 2],
    [12, 1.5],
    [5, 0.7],
  ])("%i pixels by %d stay bit for bit what libtorch makes", (size, scale) => {
    scope(() => {
      const x = images(2);
      const raw = (name: string, ...more: (number | boolean)[]) =>
        call(operator(`aten::${name}`, ""), [x, [size, size], ...more]) as Tensor;
      for (const name of [bilinear, "upsample_bicubic2d", "_upsample_bilinear2d_aa"]) {
        const made = run(name, upsample(size, scale, false), [x]).toArray();
        expect(made).toEqual(raw(name, false, scale, scale).toArray());
      }
      const made = run("upsample_nearest2d", upsample(size, scale), [x]).toArray();
      expect(made).toEqual(raw("upsample_nearest2d", scale, scale).toArray());
    });
  });

  it("refuse scales that do not make the size", () => {
    scope(() => {
      for (const scale of [1e-30, -2, 2.5, Number.NaN, 1e30])
        for (const name of [bilinear, "upsample_nearest2d", "_upsample_nearest_exact2d"]) {
          const given = upsample(16, scale, name === bilinear ? false : undefined);
          expect(() => run(name, given, [images(1)])).toThrow(
            `scales_h: ${scale} does not make 16 pixels of 8`,
          );
        }
    });
  });

  it("refuse groups and factors that libtorch's versions divide by unchecked", () => {
    scope(() => {
      const x = images(1, [4, 2, 2]);
      const shuffled = run("native_channel_shuffle", { self: value("x"), groups: number(2) }, [x]);
      const wanted = call(operator("aten::channel_shuffle", ""), [x, 2]) as Tensor;
      expect(shuffled.toArray()).toEqual(wanted.toArray());
      const groups = { self: value("x"), groups: number(8) };
      expect(() => run("native_channel_shuffle", groups, [x])).toThrow(/divisible by groups/);
      expect(run("pixel_shuffle", { self: value("x"), upscale_factor: number(2) }, [x]).shape[3]).toBe(4);
      const factor = { self: value("x"), upscale_factor: number(2 ** 32) };
      expect(() => run("pixel_shuffle", factor, [x])).toThrow(
        "upscale_factor: 4294967296 is more than 32768",
      );
    });
  });
});
