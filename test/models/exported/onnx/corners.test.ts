// Values and gradients of ONNX operators at their corners, against PyTorch's by hand.
import { describe, expect, it } from "vitest";
import { grad, scope, type Tensor, tensor } from "../../../../src/engine/index.js";
import type { OnnxAttribute, OnnxModel } from "../../../../src/files/index.js";
import { graphNodes } from "../../../../src/models/exported/onnx/nodes.js";
import { noiseOf } from "../fixtures.js";

const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };

/** Runs one node of an operator; null for an input that is left out. */
function run(
  operator: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): Tensor {
  const names = inputs.map((input, i) => (input === null ? "" : `input ${i}`));
  const node = { name: "node", operator, domain: "", inputs: names, outputs: ["made"] };
  const nodes = [{ ...node, attributes: new Map(Object.entries(attributes)) }];
  const model = { graph: { nodes } } as unknown as OnnxModel;
  const world = { opset: 17, mostElements: 2 ** 20, elements: () => ({}) as never, typeOf: () => undefined };
  const [made] = graphNodes(model, world);
  return made!.node.run(
    inputs.filter((input) => input !== null),
    context,
  )[0] as Tensor;
}

/** Gradient of the sum of what a node makes of some numbers. */
function gradientOf(values: readonly number[], of: (x: Tensor) => Tensor): number[] {
  return scope(() => {
    const x = tensor(values, [values.length]).requireGrad();
    return grad(of(x).sum(), [x])[0]!.toNumbers();
  });
}

const text = (value: string): OnnxAttribute => ({ kind: "string", value });

describe("gradients at corners", () => {
  it("are whole at the limits of Clip, as in clamp", () => {
    const limits = (low: number | null, high: number | null) => (x: Tensor) =>
      run("Clip", [x, ...[low, high].map((one) => (one === null ? null : tensor(one)))]);
    expect(gradientOf([-1, 0, 0.5, 1, 2], limits(0, 1))).toEqual([0, 1, 1, 1, 0]);
    expect(gradientOf([-1, 0, 0.5], limits(0, null))).toEqual([0, 1, 1]);
    expect(gradientOf([0.5, 1, 2], limits(null, 1))).toEqual([1, 1, 0]);
    expect(gradientOf([-1, 0, 3, 6], limits(0, 6))).toEqual([0, 0, 1, 0]);
    const crossed = scope(() => limits(3, 1)(tensor([0, 2, 4], [3])).toNumbers());
    expect(crossed).toEqual([1, 1, 1]);
  });

  it("pass through the statistics of BatchNormalization, where images make them", () => {
    const normal = (x: Tensor) => {
      const [row, one] = [x.reshape([1, 1, 3]), tensor([1], [1])];
      const variance = x.sub(x.mean()).mul(x.sub(x.mean())).mean().reshape([1]);
      return run("BatchNormalization", [row, one, one, x.mean().reshape([1]), variance]).select(2, 0);
    };
    // (x - mean) / std of the first of three numbers, by hand.
    const [first, second, third] = gradientOf([0, 1, 2], normal);
    const std = Math.sqrt(2 / 3);
    expect(first).toBeCloseTo(2 / 3 / std - 1 / 3 / std ** 3, 4);
    expect([second, third!]).toEqual([expect.closeTo(-1 / 3 / std, 4), expect.closeTo(1 / 6 / std, 4)]);
  });

  it("are a half at 0 in Softplus, and the slope in PRelu", () => {
    expect(gradientOf([0], (x) => run("Softplus", [x]))).toEqual([0.5]);
    expect(gradientOf([-1, 0, 1], (x) => run("PRelu", [x, tensor(0.25)]))).toEqual([0.25, 0.25, 1]);
  });
});

describe("the nearest pixel", () => {
  it.each([
    [14, 16, "scales"],
    [14, 16, "sizes"],
    [21, 27, "scales"],
    [7, 49, "sizes"],
  ])("of %i to %i by %s lies where whole numbers say", (side, goal, by) => {
    scope(() => {
      const pixels = tensor(
        Float32Array.from({ length: side }, (_, i) => i),
        [1, 1, 1, side],
      );
      const scales = by === "scales" ? tensor([1, 1, 1, goal / side], [4]) : null;
      const sizes = tensor(BigInt64Array.from([1n, 1n, 1n, BigInt(goal)]), [4], "int64");
      const made = run("Resize", [pixels, null, scales, ...(scales === null ? [sizes] : [])], {
        mode: text("nearest"),
        coordinate_transformation_mode: text("asymmetric"),
        nearest_mode: text("floor"),
      });
      const wanted = Array.from({ length: goal }, (_, at) => Math.floor((at * side) / goal));
      expect(made.toNumbers()).toEqual(wanted);
    });
  });
});

it("images of one color have no NaN behind MeanVarianceNormalization", () => {
  scope(() => {
    const images = tensor(new Float32Array(2 * 3 * 49).fill(0.7), [2, 3, 7, 7]);
    const made = run("MeanVarianceNormalization", [images]).toNumbers();
    expect(made.every(Number.isFinite)).toBe(true);
  });
});

/** Results of ONNX Runtime 1.30.0, and of PyTorch's `interpolate` for the first. */
describe("Resize by a scale that makes no whole length", () => {
  const image = () => tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]);
  const resized = (mode: string, coordinates: string, factor: number) =>
    scope(() =>
      run("Resize", [image(), null, tensor([1, 1, factor, factor])], {
        mode: text(mode),
        coordinate_transformation_mode: text(coordinates),
      }).toNumbers(),
    );

  it.each([
    ["linear", "align_corners", 0.6, [1, 4]],
    ["cubic", "align_corners", 0.6, [1, 4]],
    ["linear", "pytorch_half_pixel", 0.6, [1.3333333, 3]],
    ["linear", "half_pixel", 0.6, [2.6666667, 4.3333333]],
    [
      "linear",
      "align_corners",
      1.7,
      [1, 1.6, 2.2, 2.8, 3.4, 4, 3, 3.6, 4.2, 4.8, 5.4, 6, 5, 5.6, 6.2, 6.8, 7.4, 8],
    ],
  ] as const)("%s, %s by %d", (mode, coordinates, factor, wanted) => {
    const found = resized(mode, coordinates, factor);
    expect(found).toHaveLength(wanted.length);
    for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5);
  });

  it("takes the first element for one alone, whatever its number is as a float", () => {
    const one = (side: number) =>
      scope(() => {
        const x = tensor(
          Float32Array.from({ length: side }, (_, i) => i),
          [1, 1, 1, side],
        );
        const sizes = tensor([1, 1, 1, 1], [4], "int64");
        const attributes = {
          mode: text("linear"),
          coordinate_transformation_mode: text("pytorch_half_pixel"),
        };
        return run("Resize", [x, null, null, sizes], attributes).item();
      });
    // 49 x (1 / 49) is less than 1.
    expect([one(7), one(49)]).toEqual([0, 0]);
  });
});

/** ONNX, Slice: of negative steps, starts are clamped to the axis, and ends to the place before it. */
it.each([
  [-4, -6, [0]],
  [-4, 0, []],
  [2, -6, [2, 1, 0]],
  [9, 0, [2, 1]],
] as const)("Slice backwards from %d to %d", (start, end, wanted) => {
  const one = (value: number) => tensor([value], [1], "int64");
  const found = scope(() =>
    run("Slice", [tensor([0, 1, 2]), one(start), one(end), one(0), one(-1)]).toNumbers(),
  );
  expect([...found]).toEqual(wanted);
});

it("Split into more parts than it has outputs is refused before they are made", () => {
  const parts = { num_outputs: { kind: "int", value: 2 ** 31 - 1 } } as const;
  expect(() => run("Split", [tensor([1, 2])], parts)).toThrow(
    /num_outputs is 2147483647, and it has 1 output$/,
  );
});

describe("numbers that do not fit are refused with those that do", () => {
  const whole = (...values: number[]) => tensor(BigInt64Array.from(values, BigInt));
  const number = (value: number): OnnxAttribute => ({ kind: "int", value });
  const image = tensor([1, 2, 3, 4], [1, 1, 2, 2]);

  it.each([
    ["Conv", [image, tensor([1], [1, 1, 1, 1])], { group: number(0) }, "group is 0, not 1 or more"],
    ["LRN", [image], { size: number(0) }, "size is 0, not 1 to 65535"],
    ["GatherND", [image, whole(0)], { batch_dims: number(1) }, "batch_dims is 1, not 0 to 0"],
    ["GatherND", [tensor([1, 2]), whole(0, 0)], {}, "indices of 2 axes do not fit data of shape [2]"],
    ["Gather", [tensor([1, 2]), whole(2)], {}, "indices 2 to 2 lie outside of 2 elements"],
    ["TopK", [tensor([1, 2]), whole(3)], {}, "k is 3, not 0 to 2"],
    [
      "DepthToSpace",
      [image],
      { blocksize: number(2) },
      "blocks of 2 do not fit images of shape [1, 1, 2, 2]",
    ],
    ["Range", [0, 1, 0].map((one) => tensor(one)), {}, "a range from 0 to 1 by 0 has Infinity elements"],
    [
      "Pad",
      [tensor([1, 2]), whole(2, 0)],
      { mode: text("reflect") },
      "pads of 2 and 0 reflect a side of 2: each must be smaller than it",
    ],
  ] as const)("%s, case %#", (operator, inputs, attributes, message) => {
    expect(() => run(operator, inputs, attributes)).toThrow(message);
  });
});
