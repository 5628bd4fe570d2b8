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
  threads,
} from "../../src/engine/index.js";
import { onInstructionSet } from "./instruction-sets.js";
import { apart, noise } from "./numbers.js";
import { packedTiles } from "./packed-tiles.js";

interface Case {
  readonly name: string;
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  /** Sides to pack for; those of the input where left out. */
  readonly packedFor?: readonly [number, number];
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

const tileSides = [2, 4];
const padded = { stride: [1, 1], padding: [1, 1] } as const;

/** The same by libtorch in float64. */
function exact({ weight, stride = [1, 1], padding = [0, 0] }: Case, x: Tensor, w: Tensor): Tensor {
  if (weight.length === 2) return ops.linear(x, w);
  return ops.conv2d(x, w, null, stride, padding, [1, 1], 1);
}

/** Output and gradients by the input and the residual, packed and by libtorch in float64. */
function bothWays(of: Case, { withBias = false, withResidual = false, relu = false }) {
  const isLinear = of.weight.length === 2;
  const [given] = of.weight as [number];
  const [x, w] = [noise(of.input, 1), noise(of.weight, 2)];
  const { stride = [1, 1], padding = [0, 0] } = of;
  const [height = 1, width = 1] = isLinear ? [] : of.input.slice(2);
  const packed = packWeights(w, { stride, padding }, of.packedFor ?? [height, width]);
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

  for (const side of tileSides) {
    it(`multiplies tiles of ${side} x ${side} outputs on images of any sides`, () => {
      for (let height = 1; height <= 13; height++) {
        scope(() => {
          const one: Case = {
            name: "3x3",
            input: [2, 32, height, 14 - height],
            weight: [16, 32, 3, 3],
            padding: [1, 1],
            packedFor: [side, side],
          };
          const [withBias, withResidual, relu] = [height % 2 === 0, height % 3 === 0, height % 4 < 2];
          const { ours, theirs } = bothWays(one, { withBias, withResidual, relu });
          for (const [i, value] of ours.entries()) expect(apart(value, theirs[i]!)).toBeLessThan(2e-6);
        });
      }
    });

    it(`has the same bits in tiles of ${side} x ${side} outputs for any number of images`, () => {
      scope(() => {
        const packed = packWeights(noise([64, 32, 3, 3], 2), padded, [side, side]);
        const x = noise([70, 32, 9, 6], 1);
        const all = packedLayer(x, packed);
        const [few, one] = [packedLayer(x.slice(0, 3, 7), packed), packedLayer(x.slice(0, 69, 70), packed)];
        expect([...few.toNumbers()]).toEqual([...all.slice(0, 3, 7).toNumbers()]);
        expect([...one.toNumbers()]).toEqual([...all.slice(0, 69, 70).toNumbers()]);
        for (const part of [packed.forward, packed.backward]) part.dispose();
      });
    });
  }

  it("packs 3x3 kernels for tiles of 4 x 4 outputs where they multiply less", () => {
    scope(() => {
      const weight = noise([16, 16, 3, 3], 1);
      const sideOf = (height: number, width: number) => {
        const { forward, backward } = packWeights(weight, padded, [height, width]);
        const points = forward.shape[0]!;
        expect(backward.shape[0]).toBe(points);
        for (const part of [forward, backward]) part.dispose();
        return Math.sqrt(points) - 2;
      };
      const square = Array.from({ length: 14 }, (_, i) => sideOf(i + 1, i + 1));
      expect(square).toEqual([2, 2, 4, 4, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4]);
      expect([sideOf(2, 64), sideOf(4, 64), sideOf(32, 1)]).toEqual([2, 4, 2]);
    });
  });

  it.each([
    [64, 2e-6, 1.8e-7],
    [512, 2e-6, 2.2e-7],
  ])("keeps the errors of tiles of 4 x 4 outputs with %i channels small", (channels, most, mean) => {
    const weight = [32, channels, 3, 3];
    const one: Case = { name: "3x3", input: [4, channels, 8, 8], weight, padding: [1, 1] };
    scope(() => {
      const { ours, theirs } = bothWays(one, {});
      for (const [i, value] of ours.entries()) {
        const error = value.to("float64").sub(theirs[i]!).abs();
        const largest = theirs[i]!.abs().amax().item();
        expect(error.amax().item() / largest).toBeLessThan(most);
        expect(error.mean().item() / largest).toBeLessThan(mean);
      }
    });
  });

  it.each(tileSides)(
    "has the same bits for any number of threads, and without gradients, tiles of side %i",
    (side) => {
      const before = threads();
      const bits = (count: number, record: boolean) =>
        scope(() => {
          setThreads(count);
          const packed = packWeights(noise([32, 16, 3, 3], 2), padded, [side, side]);
          const x = noise([19, 16, 12, 12], 1);
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
    },
  );

  it.each(["avx2", "default"])("is computed by tiles with %s as with the widest vectors", (capability) => {
    const { isFused, values: elsewhere } = onInstructionSet(capability, "packed-tiles.ts");
    for (const [i, values] of packedTiles().entries()) {
      if (isFused) expect(elsewhere[i]).toEqual(values);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const furthest = values.reduce(
        (most, value, j) => Math.max(most, Math.abs(value - elsewhere[i]![j]!)),
        0,
      );
      expect(furthest / largest).toBeLessThan(5e-6);
    }
  });

  it.each(tileSides)("passes NaN on, and gives no images none, tiles of side %i", (side) => {
    scope(() => {
      const packed = packWeights(noise([16, 16, 3, 3], 2), padded, [side, side]);
      const x = ops.full([1, 16, 4, 4], Number.NaN, "float32");
      expect(packedLayer(x, packed, { relu: true }).isnan().all().item()).toBe(1);
      expect(packedLayer(ops.zeros([0, 16, 4, 4], "float32"), packed).shape).toEqual([0, 16, 4, 4]);
      for (const part of [packed.forward, packed.backward]) part.dispose();
    });
  });

  it.each(cases)("has libtorch's gradients of gradients, $name", (of) => {
    scope(() => {
      const isLinear = of.weight.length === 2;
      const { stride = [1, 1], padding = [0, 0] } = of;
      const [x, w] = [noise(of.input, 1), noise(of.weight, 2)];
      const packed = packWeights(
        w,
        { stride, padding },
        isLinear ? [1, 1] : (of.input.slice(2) as [number, number]),
      );
      const second = (layer: (input: Tensor, residual: Tensor) => Tensor, images: Tensor, added: Tensor) => {
        const output = layer(images, added);
        const slopes = grad(output.sin().sum(), [images, added], { createGraph: true });
        return grad(slopes[0]!.square().sum().add(slopes[1]!.square().sum()), [images, added]);
      };
      const shape = exact(of, x, w).shape;
      const ours = second(
        (images, residual) => packedLayer(images, packed, { residual, relu: true }),
        x.clone().requireGrad(),
        noise(shape, 3).requireGrad(),
      );
      const theirs = second(
        (images, residual) => exact(of, images, w.to("float64")).add(residual).relu(),
        x.to("float64").requireGrad(),
        noise(shape, 3).to("float64").requireGrad(),
      );
      // The sine of outputs of some 30 magnifies their rounding.
      for (const [i, value] of ours.entries()) expect(apart(value, theirs[i]!)).toBeLessThan(1e-4);
      for (const part of [packed.forward, packed.backward]) part.dispose();
    });
  });

  it("says what does not fit", () => {
    scope(() => {
      const packed = packWeights(noise([16, 16, 3, 3], 2), padded);
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
      for (const part of [packed.forward, packed.backward]) part.dispose();
    });
  });
});
