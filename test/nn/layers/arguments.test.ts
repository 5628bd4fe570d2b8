import { expect, test } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { imageIdRange, operators as ops } from "../../../src/engine/index.js";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  GELU,
  GroupNorm,
  LayerNorm,
  LeakyReLU,
  Linear,
  MaxPool2d,
  type Module,
} from "../../../src/nn/index.js";

/** Arguments that a user without types may give. */
const given = (value: unknown) => value as never;
const seed = 0;

test.each<[string, () => Module, string]>([
  [
    "no seed",
    () => new Conv2d(3, 4, 3, given({})),
    "seed must be an integer from 0 to 9007199254740991, not undefined",
  ],
  [
    "no options",
    () => new Linear(3, 4, given(undefined)),
    "options of Linear must be an object with seed, bias",
  ],
  ["a negative seed", () => new Linear(3, 4, { seed: -1 }), "seed must be an integer from 0"],
  [
    "a typo",
    () => new Conv2d(3, 4, 3, given({ seed, strid: 2 })),
    'unknown option of Conv2d "strid"; did you mean "stride"?',
  ],
  ["channels", () => new Conv2d(0, 4, 3, { seed }), "channels must be an integer >= 1, not 0"],
  ["filters", () => new Conv2d(3, 1.5, 3, { seed }), "filters must be an integer >= 1, not 1.5"],
  [
    "kernel",
    () => new Conv2d(3, 4, [3, 0], { seed }),
    "kernel must be an integer >= 1 or [height, width] of them, not [3, 0]",
  ],
  [
    "three sides",
    () => new Conv2d(3, 4, given([3, 3, 3]), { seed }),
    "kernel must be an integer >= 1 or [height, width]",
  ],
  ["stride", () => new Conv2d(3, 4, 3, { seed, stride: 0 }), "stride must be an integer >= 1"],
  [
    "padding",
    () => new Conv2d(3, 4, 3, { seed, padding: given("same") }),
    'padding must be an integer >= 0 or [height, width] of them, not "same"',
  ],
  ["dilation", () => new Conv2d(3, 4, 3, { seed, dilation: 0 }), "dilation must be an integer >= 1"],
  [
    "groups",
    () => new Conv2d(3, 4, 3, { seed, groups: 2 }),
    "groups must divide 3 channels and 4 filters, not 2",
  ],
  [
    "first weights",
    () => new Conv2d(3, 4, 3, { seed, initialization: given("xavier") }),
    'must be "uniform" or "kaiming-normal", not "xavier"',
  ],
  ["inputs", () => new Linear(given("3"), 4, { seed }), 'inputs must be an integer >= 1, not "3"'],
  [
    "normalized channels",
    () => new BatchNorm2d(given(undefined)),
    "channels must be an integer >= 1, not undefined",
  ],
  ["momentum", () => new BatchNorm2d(2, { momentum: 2 }), "momentum must be in [0, 1], not 2"],
  ["epsilon", () => new BatchNorm2d(2, { epsilon: 0 }), "epsilon must be > 0, not 0"],
  ["epsilon as text", () => new GroupNorm(1, 2, { epsilon: given("1") }), 'epsilon must be > 0, not "1"'],
  ["groups of channels", () => new GroupNorm(3, 4), "groups must divide 4 channels, not 3"],
  ["no axes", () => new LayerNorm([]), "shape must have at least one axis"],
  ["an axis", () => new LayerNorm([3, -1]), "shape must be an integer >= 1, not -1"],
  [
    "window",
    () => new MaxPool2d(given("2")),
    'window must be an integer >= 1 or [height, width] of them, not "2"',
  ],
  [
    "padding of a window",
    () => new MaxPool2d(3, { padding: 2 }),
    "padding must be at most half the window [3, 3], not [2, 2]",
  ],
  [
    "an option of the other pool",
    () => new AvgPool2d(2, given({ dilation: 2 })),
    'unknown option of AvgPool2d "dilation"',
  ],
  ["output", () => new AdaptiveAvgPool2d(0), "output must be an integer >= 1"],
  ["slope", () => new LeakyReLU(Number.NaN), "slope must be a finite number, not NaN"],
  [
    "approximation",
    () => new GELU(given({ approximation: "erf" })),
    'approximation must be "none" or "tanh", not "erf"',
  ],
])("%s that cannot be is refused, with what is accepted", (_, make, message) => {
  expect(make).toThrow(message);
});

test("a convolution of given tensors has their shapes, and steps as it is told", () => {
  const layer = Conv2d.of(ops.ones([4, 1, 3, 2]), null, { groups: 2, stride: [1, 2], padding: 1 });
  expect(layer.bias).toBe(null);
  const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) };
  const output = layer.apply(ops.ones([1, 2, 3, 3]), { training: false, noise });
  expect(output.shape).toEqual([1, 4, 3, 2]);
  // A window at the middle holds 3 x 2 ones, at the top 2 x 1: the corner of the image.
  expect(output.select(1, 3).toNumbers()).toEqual([2, 4, 3, 6, 2, 4]);
  expect(() => Conv2d.of(layer.weight, null, given({ seed: 1 }))).toThrow(
    'unknown option of Conv2d.of "seed"',
  );
});

test.each([new GroupNorm(2, 4), new LayerNorm([4, 2])])(
  "normalization of a bfloat16 input adds up in float32, and gives bfloat16",
  (layer) => {
    const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) };
    const pass = { training: false, noise };
    const input = ops.arange(0, 8, 1, "float32").reshape([1, 4, 2]).to("bfloat16");
    const output = layer.apply(input, pass);
    expect(output.dtype).toBe("bfloat16");
    expect(output.toNumbers()).toEqual(layer.apply(input.to("float32"), pass).to("bfloat16").toNumbers());
  },
);
