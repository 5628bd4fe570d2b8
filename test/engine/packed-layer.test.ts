// Layers with packed weights against libtorch's own operators in float64.
import { describe, expect, it } from "vitest";
import {
  grad,
  noGrad,
  operators as ops,
  type PackedLayerOptions,
  packedLayer,
  packWeights,
  scope,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "../../src/engine/index.js";

interface Case {
  readonly name: string;
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
}

/** Kernels of each form, with sides and channels that fill no tile, row or panel. */
const cases: readonly Case[] = [
  { name: "3x3", input: [3, 16, 8, 8], weight: [32, 16, 3, 3], padding: [1, 1] },
  { name: "3x3 on odd sides", input: [2, 32, 7, 5], weight: [48, 32, 3, 3], padding: [1, 1] },
  { name: "3x3 on one pixel", input: [2, 16, 1, 1], weight: [16, 16, 3, 3], padding: [1, 1] },
  { name: "3x3, 5 channels", input: [2, 5, 6, 6], weight: [7, 5, 3, 3], padding: [1, 1] },
  { name: "3x3, stride 2", input: [2, 16, 9, 8], weight: [24, 16, 3, 3], stride: [2, 2], padding: [1, 1] },
  { name: "3x3 without padding", input: [2, 16, 6, 7], weight: [16, 16, 3, 3] },
  { name: "1x1", input: [2, 17, 5, 6], weight: [33, 17, 1, 1] },
  { name: "1x1, stride 2", input: [2, 16, 7, 6], weight: [32, 16, 1, 1], stride: [2, 2] },
  { name: "7x7, stride 2", input: [2, 3, 17, 15], weight: [20, 3, 7, 7], stride: [2, 2], padding: [3, 3] },
  {
    name: "2x3, strides 3 and 1",
    input: [1, 4, 8, 6],
    weight: [6, 4, 2, 3],
    stride: [3, 1],
    padding: [1, 0],
  },
  { name: "padding beyond the kernel", input: [1, 4, 3, 3], weight: [6, 4, 2, 2], padding: [4, 3] },
  { name: "linear", input: [29, 40], weight: [70, 40] },
  { name: "linear over axes", input: [2, 5, 3, 24], weight: [16, 24] },
  { name: "linear, 1024 channels", input: [13, 1024], weight: [32, 1024] },
];

/** Numbers in -1 .. 1 without a pattern that a wrong stride would keep. */
function noise(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (wave - Math.floor(wave)) - 1;
  });
  return tensor(values, [...shape]);
}

/** The same by libtorch in float64. */
function exact({ weight, stride = [1, 1], padding = [0, 0] }: Case, x: Tensor, w: Tensor): Tensor {
  if (weight.length === 2) return ops.linear(x, w);
  return ops.conv2d(x, w, null, stride, padding, [1, 1], 1);
}

function apart(given: Tensor, wanted: Tensor): number {
  if (given.shape.join() !== wanted.shape.join()) return Number.POSITIVE_INFINITY;
  const largest = wanted.abs().amax().item();
  return given.to("float64").sub(wanted).abs().amax().item() / Math.max(largest, 1e-30);
}

/** Output and gradients by the input and the residual, packed and by libtorch in float64. */
function bothWays(of: Case, { withBias = false, withResidual = false, relu = false }) {
  const isLinear = of.weight.length === 2;
  const [given] = of.weight as [number];
  const [x, w] = [noise(of.input, 1), noise(of.weight, 2)];
  const { stride = [1, 1], padding = [0, 0] } = of;
  const packed = packWeights(w, { stride, padding });
  const plain = exact(of, x.to("float64"), w.to("float64"));
  const bias = withBias ? noise([given], 3) : undefined;
  const residual = withResidual ? noise(plain.shape, 4) : undefined;
  const slope = noise(plain.shape, 5);
  const run = (images: Tensor, added: Tensor | undefined, layer: (i: Tensor, r?: Tensor) => Tensor) => {
    const output = layer(images, added);
    const inputs = added === undefined ? [images] : [images, added];
    return [output, ...grad(output.mul(slope.to(output.dtype)).sum(), inputs)];
  };
  const options: PackedLayerOptions = { bias, relu };
  const ours = run(x.clone().requireGrad(), residual?.clone().requireGrad(), (images, added) =>
    packedLayer(images, packed, { ...options, residual: added }),
  );
  const theirs = run(
    x.to("float64").requireGrad(),
    residual?.to("float64").requireGrad(),
    (images, added) => {
      let output = exact(of, images, w.to("float64"));
      const shift = bias?.to("float64");
      if (shift !== undefined) output = output.add(isLinear ? shift : shift.reshape([1, -1, 1, 1]));
      if (added !== undefined) output = output.add(added);
      return relu ? output.relu() : output;
    },
  );
  for (const part of [packed.forward, packed.backward]) part.dispose();
  return { ours, theirs };
}

describe("a layer with packed weights", () => {
  for (const one of cases) {
    it.each([
      {},
      { withBias: true, relu: true },
      { withResidual: true },
      { withBias: true, withResidual: true, relu: true },
    ])(`${one.name} has libtorch's values and gradients, %o`, (options) => {
      scope(() => {
        const { ours, theirs } = bothWays(one, options);
        for (const [i, value] of ours.entries()) expect(apart(value, theirs[i]!)).toBeLessThan(2e-6);
      });
    });
  }

  it("has the same bits for any number of threads, and without gradients", () => {
    const before = threads();
    const bits = (count: number, record: boolean) =>
      scope(() => {
        setThreads(count);
        const packed = packWeights(noise([32, 16, 3, 3], 2), { stride: [1, 1], padding: [1, 1] });
        const x = noise([9, 16, 12, 12], 1);
        const images = record ? x.requireGrad() : x;
        const output = record ? packedLayer(images, packed) : noGrad(() => packedLayer(images, packed));
        for (const part of [packed.forward, packed.backward]) part.dispose();
        return [...output.toNumbers()];
      });
    try {
      const once = bits(1, true);
      expect(bits(2, true)).toEqual(once);
      expect(bits(1, false)).toEqual(once);
    } finally {
      setThreads(before);
    }
  });

  it("passes NaN on, and gives no images none", () => {
    scope(() => {
      const packed = packWeights(noise([16, 16, 3, 3], 2), { stride: [1, 1], padding: [1, 1] });
      const x = ops.full([1, 16, 4, 4], Number.NaN, "float32");
      expect(packedLayer(x, packed, { relu: true }).isnan().all().item()).toBe(1);
      expect(packedLayer(ops.zeros([0, 16, 4, 4], "float32"), packed).shape).toEqual([0, 16, 4, 4]);
      for (const part of [packed.forward, packed.backward]) part.dispose();
    });
  });

  it("says what does not fit", () => {
    scope(() => {
      const packed = packWeights(noise([16, 16, 3, 3], 2), { stride: [1, 1], padding: [1, 1] });
      const x = noise([1, 16, 4, 4], 1);
      expect(() => packedLayer(noise([1, 8, 4, 4], 1), packed)).toThrow("must have 16 channels");
      expect(() => packedLayer(noise([16, 4], 1), packed)).toThrow("must have shape (N, in, H, W)");
      expect(() => packedLayer(x.to("float64"), packed)).toThrow("must be float32 on the CPU");
      expect(() => packedLayer(x, packed, { bias: noise([3], 1) })).toThrow("bias must have shape [16]");
      expect(() => packedLayer(x, packed, { residual: noise([1, 16, 4, 5], 1) })).toThrow("a residual must");
      expect(() => packedLayer(x, { ...packed, forward: packed.forward.flatten(0) })).toThrow(
        "packed weights",
      );
      expect(() => packWeights(noise([4], 1))).toThrow("weights must have shape");
      const images = x.requireGrad();
      const sum = packedLayer(images, packed, { relu: true }).sum();
      expect(() => grad(sum, [images], { createGraph: true })).toThrow("no gradient of its gradient");
      for (const part of [packed.forward, packed.backward]) part.dispose();
    });
  });
});
