import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { roundingUniform } from "../../src/base/philox.js";
import {
  grad,
  imageIdRange,
  quantizationRanges,
  quantizeActivation,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "../../src/engine/index.js";

type Golden = { shape: number[]; data: number[] };
const golden = JSON.parse(readFileSync(new URL("../golden/losses_and_sqa.json", import.meta.url), "utf8"))
  .sqa_spec as {
  h: Golden;
  u: Golden;
} & Record<string, Record<string, Golden>>;
const fromGolden = (entry: Golden) => tensor(new Float32Array(entry.data), entry.shape);
const keys = { image: "per_sample", channel: "per_channel", batch: "per_batch" } as const;
const seed = { low: 3, high: 4 };
const noiseOf = (count: number, first = 0, draw = 0) => ({
  noise: { seed, draw, imageIds: imageIdRange(first, count) },
  stream: 1,
});
/** The reference's uniforms for images of ids `first`, `first` + 1 ..., under the key of `noiseOf`. */
const roundingUniforms = (first: number, draw: number, [count, ...element]: number[]) => {
  const elements = element.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count! * elements }, (_, i) => {
    const key = { stream: 1, draw, image: first + Math.floor(i / elements) };
    return roundingUniform(seed, key, i % elements, elements);
  });
  return tensor(values, [count!, ...element]);
};
const stochastic = (lambda: number, range: (typeof quantizationRanges)[number] = "image") =>
  ({ lambda, range, rounding: "stochastic" }) as const;
const wave = (shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.max(0, Math.sin(i * 1.7))),
    shape,
  );
const before = threads();
afterAll(() => setThreads(before));

describe("quantizeActivation", () => {
  test.each(
    quantizationRanges.flatMap((range) =>
      Object.keys(golden[keys[range]]!).map((lambda) => [range, Number(lambda)] as const),
    ),
  )("matches the published values: range %s, lambda %d", (range, lambda) => {
    const y = quantizeActivation(fromGolden(golden.h), stochastic(lambda, range), {
      uniforms: fromGolden(golden.u),
    });
    const expected = golden[keys[range]]![String(lambda)]!.data;
    for (const [i, value] of y.toNumbers().entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  test("quantizes bfloat16 by float32's arithmetic", () => {
    for (const h of [wave([2, 16, 6, 6]).contiguous("channelsLast"), wave([3, 5, 7])]) {
      const half = h.to("bfloat16").requireGrad();
      const y = quantizeActivation(half, stochastic(2), noiseOf(h.shape[0]!));
      const wanted = quantizeActivation(half.detach().to("float32"), stochastic(2), noiseOf(h.shape[0]!));
      expect([y.dtype, y.toArray()]).toEqual(["bfloat16", wanted.to("bfloat16").toArray()]);
      expect(new Set(grad(y.to("float32").sum(), [half])[0]!.toNumbers())).toEqual(new Set([1]));
    }
  });

  test("passes gradients straight through", () => {
    const h = wave([2, 3, 4, 4]).requireGrad();
    const w = wave([2, 3, 4, 4]).add(0.5);
    const [gradient] = grad(quantizeActivation(h, stochastic(2), noiseOf(2)).mul(w).sum(), [h]);
    expect(gradient!.toArray()).toEqual(w.toArray());
  });

  test.each([[[3, 5, 7, 3]], [[3, 4, 6, 6]], [[3, 33]], [[2, 2, 50, 50]], [[2, 16, 6, 6]], [[2, 48, 2, 2]]])(
    "with counted noise is the formula on the noise's readable reference, in any layout, batch and number of threads: %j",
    (shape) => {
      const h = wave(shape);
      const count = shape[0]!;
      for (const range of quantizationRanges.filter((name) => name !== "channel" || shape.length > 2)) {
        const { noise, stream } = noiseOf(count, 10, 7);
        const uniforms = roundingUniforms(10, 7, shape);
        const quantized = (x: Tensor, lambda: number, source: Parameters<typeof quantizeActivation>[2]) =>
          quantizeActivation(x, stochastic(lambda, range), source).toArray();
        const expected = quantized(h, 3, { uniforms });
        for (const n of [1, 2, 4]) {
          setThreads(n);
          for (const lambda of [3, 100]) {
            const wanted = quantized(h, lambda, { uniforms });
            expect(quantized(h, lambda, { noise, stream })).toEqual(wanted);
            if (shape.length === 4) {
              expect(quantized(h.contiguous("channelsLast"), lambda, { noise, stream })).toEqual(wanted);
            }
          }
        }
        if (range === "batch") continue;
        const parts = [0, 1].flatMap((part) => {
          const [from, to] = part === 0 ? [0, 1] : [1, count];
          return [
            ...quantizeActivation(
              h.slice(0, from, to),
              stochastic(3, range),
              noiseOf(to! - from!, 10 + from!, 7),
            ).toArray(),
          ];
        });
        expect(new Float32Array(parts as number[])).toEqual(expected);
      }
    },
  );

  test("keeps a constant range, an empty batch, and other images than one that is not finite", () => {
    const constant = tensor([0.3, 0.3, 0.3, 0.3], [1, 4]);
    expect(quantizeActivation(constant, stochastic(2), noiseOf(1)).toArray()).toEqual(constant.toArray());
    expect(quantizeActivation(tensor([], [0, 3, 2, 2]), stochastic(1), noiseOf(0)).shape).toEqual([
      0, 3, 2, 2,
    ]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const h = wave([3, 2, 4, 4]);
      const clean = quantizeActivation(h, stochastic(2), noiseOf(3)).toArray() as Float32Array;
      h.shareArray()[40] = bad;
      const y = quantizeActivation(h, stochastic(2), noiseOf(3)).toArray() as Float32Array;
      expect(y.subarray(32, 64).every(Number.isNaN)).toBe(true);
      expect([...y.subarray(0, 32), ...y.subarray(64)]).toEqual([
        ...clean.subarray(0, 32),
        ...clean.subarray(64),
      ]);
    }
  });

  test("nearest rounds half up, without noise", () => {
    const h = tensor([0, 0.25, 0.5, 0.7499, 0.75, 1], [1, 6]);
    const y = quantizeActivation(h, { lambda: 2, range: "image", rounding: "nearest" }, undefined);
    expect(y.toNumbers()).toEqual([0, 0.5, 0.5, 0.5, 1, 1]);
    for (const source of [noiseOf(1), { uniforms: h.mul(0).add(0.99) }]) {
      const same = quantizeActivation(h, { lambda: 2, range: "image", rounding: "nearest" }, source);
      expect(same.toArray()).toEqual(y.toArray());
    }
  });

  test("gives one of lambda + 1 levels, at most one level away, and h on average (Hoeffding)", () => {
    const draws = 400;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 12 }),
        fc.constantFrom(1, 2, 3, 17, 1024),
        (integers, lambda) => {
          const values = integers.map((value) => value / 100);
          const [low, high] = [Math.min(...values), Math.max(...values)];
          if (low === high) return;
          const step = (high - low) / lambda;
          const h = tensor(values, [1, values.length]).expand([draws, values.length]).contiguous();
          const y = quantizeActivation(h, stochastic(lambda), noiseOf(draws)).toNumbers();
          for (const [i, value] of y.entries()) {
            const level = (value - low) / step;
            expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-2);
            expect(Math.abs(value - values[i % values.length]!)).toBeLessThan(step * 1.01);
          }
          for (const [i, wanted] of values.entries()) {
            let sum = 0;
            for (let draw = 0; draw < draws; draw++) sum += y[draw * values.length + i]!;
            // P(|mean - h| > t) <= 2 exp(-2 draws t^2 / step^2); this bound fails once in 10^8.
            expect(Math.abs(sum / draws - wanted)).toBeLessThan(step * Math.sqrt(19.2 / (2 * draws)) + 1e-4);
          }
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  test("refuses what it cannot quantize", () => {
    expect(() => quantizeActivation(tensor([1], [1, 1], "float64"), stochastic(1), noiseOf(1))).toThrow(
      /must be float32/,
    );
    expect(() => quantizeActivation(tensor([1, 2]), stochastic(1), noiseOf(2))).toThrow(
      /a batch and a feature axis/,
    );
    expect(() => quantizeActivation(wave([2, 3]), stochastic(1), noiseOf(3))).toThrow(
      /image ids must be int64 of shape/,
    );
    expect(() => quantizeActivation(wave([2, 3]), stochastic(1, "channel"), noiseOf(2))).toThrow(
      /\(N, C, \.\.\.\)/,
    );
    expect(() => quantizeActivation(wave([2, 3]), stochastic(0), noiseOf(2))).toThrow(RangeError);
    expect(() => quantizeActivation(wave([2, 3]), stochastic(1), undefined)).toThrow(TypeError);
  });
});
