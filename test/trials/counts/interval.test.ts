import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { bootstrap, wilson } from "../../../src/trials/index.js";

describe("Wilson's interval", () => {
  it("has the published values", () => {
    // Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for (const [correct, total, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const found = wilson(correct, total);
      expect(found.accuracy).toBe(correct / total);
      expect(found.low).toBeCloseTo(low, 4);
      expect(found.high).toBeCloseTo(high, 4);
    }
    expect(wilson(5, 5).high).toBe(1);
  });

  it("lies in 0 .. 1 and around the accuracy, for any number of images", () => {
    for (const quantile of [1.959963984540054, 2.807033768343811]) {
      for (let total = 1; total <= 2000; total++) {
        for (const correct of [0, 1, total - 1, total]) {
          const { low, accuracy, high } = wilson(correct, total, quantile);
          if (!(low >= 0 && low <= accuracy && accuracy <= high && high <= 1))
            throw new Error(`${correct} of ${total}: ${low} .. ${high}`);
        }
      }
    }
  });

  it("refuses what cannot be", () => {
    expect(() => wilson(3, 2)).toThrow(RangeError);
    expect(() => wilson(0, 0)).toThrow(RangeError);
  });
});

describe("the bootstrap's interval over images", () => {
  const seed = deriveSeed(0, "test");
  const counts = Uint16Array.from({ length: 2000 }, (_, i) => (i % 4 === 0 ? i % 11 : 10));

  it("is that of the normal approximation for many images", () => {
    const shares = [...counts].map((count) => count / 10);
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    const deviation = Math.sqrt(shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / shares.length ** 2);
    const { accuracy, low, high } = bootstrap(counts, 10, seed, 4000);
    expect(accuracy).toBeCloseTo(mean, 12);
    // The quantile of 4000 resamples has a standard error of 0.042 deviations.
    expect(Math.abs(low - (mean - 1.96 * deviation))).toBeLessThan(0.17 * deviation);
    expect(Math.abs(high - (mean + 1.96 * deviation))).toBeLessThan(0.17 * deviation);
  });

  it("depends on the seed alone", () => {
    expect(bootstrap(counts, 10, seed)).toEqual(bootstrap(counts, 10, seed));
    expect(bootstrap(counts, 10, seed)).not.toEqual(bootstrap(counts, 10, deriveSeed(1, "test")));
  });

  it("is as wide as Wilson's near 0 and 1", () => {
    const one = Uint16Array.from({ length: 1000 }, (_, i) => (i === 500 ? 0 : 10));
    // statsmodels: proportion_confint(999, 1000, method="wilson")
    for (const [counts, low, high] of [
      [one, 0.994357, 0.999823],
      [one.map((count) => 10 - count), 0.000177, 0.005643],
    ] as const) {
      const found = bootstrap(counts, 10, seed);
      expect(found.accuracy).toBe(counts === one ? 0.999 : 0.001);
      expect(found.low).toBeCloseTo(low, 5);
      expect(found.high).toBeCloseTo(high, 5);
    }
    // One answer of ten thousand: the bootstrap's would be 0.0003 wide.
    const { low, high } = bootstrap(
      one.map((count) => Math.max(count, 9)),
      10,
      seed,
    );
    expect(high - low).toBeGreaterThan(0.003);
  });

  it("is Wilson's where all images are alike, and refuses none", () => {
    expect(bootstrap(new Uint16Array(20), 10, seed)).toEqual(wilson(0, 20));
    expect(bootstrap(new Uint16Array(20).fill(10), 10, seed)).toEqual(wilson(20, 20));
    expect(() => bootstrap(new Uint16Array(), 10, seed)).toThrow(RangeError);
  });
});
