import { describe, expect, test } from "vitest";
import {
  constantRate,
  cosineRate,
  oneCycle,
  type Schedule,
  stepRate,
  triangular,
} from "../../src/nn/index.js";

/** Rates of a run of so many steps, one an epoch. */
const run = (schedule: Schedule, total: number) => schedule.rates({ epochs: total, stepsPerEpoch: 1 });
const rates = (schedule: Schedule, total: number) =>
  Array.from({ length: total }, (_, i) => run(schedule, total)(i));

describe("schedules", () => {
  test("one cycle: peak / 25, the peak at 0.3 of the way, peak / 25e4, and monotonic between", () => {
    const all = rates(oneCycle({ peak: 0.5 }), 100);
    expect(all[0]).toBeCloseTo(0.02, 12);
    expect(all[29]).toBeCloseTo(0.5, 12);
    expect(all[99]).toBeCloseTo(0.5 / 25e4, 12);
    for (let i = 1; i < 100; i++) expect(Math.sign(all[i]! - all[i - 1]!)).toBe(i <= 29 ? 1 : -1);
    // PyTorch's documented cosine leg from 0.02 to 0.5, halfway between steps 0 and 29.
    expect(run(oneCycle({ peak: 0.5 }), 100)(14.5)).toBeCloseTo(0.26, 12);
    expect(rates(oneCycle({ peak: 0.5 }), 3).every(Number.isFinite)).toBe(true);
    expect(rates(oneCycle({ peak: 0.5 }), 1)).toEqual([0.5]);
  });

  test("one cycle and triangular turn where they are told to", () => {
    const later = rates(oneCycle({ peak: 1, peakAt: 0.5 }), 10);
    expect(later.indexOf(Math.max(...later))).toBe(4);
    const early = rates(triangular({ peak: 1, peakAt: 0.25 }), 8);
    expect(early.indexOf(Math.max(...early))).toBe(2);
  });

  test("triangular: straight lines with their zeros one step outside", () => {
    const all = rates(triangular({ peak: 1 }), 8);
    expect(all).toEqual([0.2, 0.4, 0.6, 0.8, 1, 0.75, 0.5, 0.25]);
  });

  test("cosine, step and constant follow their formulas", () => {
    const cosine = run(cosineRate({ peak: 2 }), 10);
    expect(cosine(0)).toBe(2);
    expect(cosine(5)).toBeCloseTo(1, 12);
    expect(cosine(10)).toBeCloseTo(0, 12);
    const steps = run(stepRate({ peak: 0.1 }), 90);
    expect([steps(0), steps(29)]).toEqual([0.1, 0.1]);
    expect(steps(30)).toBeCloseTo(0.01, 12);
    expect(steps(60)).toBeCloseTo(0.001, 12);
    expect(run(constantRate({ peak: 0.3 }), 10)(1e6)).toBe(0.3);
  });

  test("step drops after epochs, whatever the steps of each, and by its factor", () => {
    const steps = stepRate({ peak: 1, epochs: 2, factor: 0.5 }).rates({ epochs: 6, stepsPerEpoch: 4 });
    expect([steps(7), steps(8), steps(15), steps(16)]).toEqual([1, 0.5, 0.5, 0.25]);
  });

  test("refuse rates and lengths that make no sense", () => {
    for (const peak of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => constantRate({ peak })).toThrow(RangeError);
    }
    expect(() => run(cosineRate({ peak: 1 }), 0)).toThrow(RangeError);
    expect(() => oneCycle({ peak: 1, peakAt: 1 })).toThrow(RangeError);
    expect(() => stepRate({ peak: 1, epochs: 0 })).toThrow(RangeError);
  });
});
