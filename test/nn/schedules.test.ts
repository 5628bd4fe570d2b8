import { describe, expect, test } from "vitest";
import {
  constantSchedule,
  cosineSchedule,
  oneCycleSchedule,
  stepSchedule,
  triangularSchedule,
} from "../../src/nn/index.js";

const rates = (schedule: (step: number) => number, total: number) =>
  Array.from({ length: total }, (_, i) => schedule(i));

describe("schedules", () => {
  test("one cycle: peak / 25, the peak at 0.3 of the way, peak / 25e4, and monotonic between", () => {
    const all = rates(oneCycleSchedule(0.5, 100), 100);
    expect(all[0]).toBeCloseTo(0.02, 12);
    expect(all[29]).toBeCloseTo(0.5, 12);
    expect(all[99]).toBeCloseTo(0.5 / 25e4, 12);
    for (let i = 1; i < 100; i++) expect(Math.sign(all[i]! - all[i - 1]!)).toBe(i <= 29 ? 1 : -1);
    // PyTorch's documented cosine leg from 0.02 to 0.5, halfway between steps 0 and 29.
    expect(oneCycleSchedule(0.5, 100)(14.5)).toBeCloseTo(0.26, 12);
    expect(rates(oneCycleSchedule(0.5, 3), 3).every(Number.isFinite)).toBe(true);
    expect(rates(oneCycleSchedule(0.5, 1), 1).every(Number.isFinite)).toBe(true);
  });

  test("triangular: straight lines with their zeros one step outside", () => {
    const all = rates(triangularSchedule(1, 8, 0.5), 8);
    expect(all).toEqual([0.2, 0.4, 0.6, 0.8, 1, 0.75, 0.5, 0.25]);
  });

  test("cosine, step and constant follow their formulas", () => {
    expect(cosineSchedule(2, 10)(0)).toBe(2);
    expect(cosineSchedule(2, 10)(5)).toBeCloseTo(1, 12);
    expect(cosineSchedule(2, 10)(10)).toBeCloseTo(0, 12);
    const steps = stepSchedule(0.1, 30);
    expect([steps(0), steps(29)]).toEqual([0.1, 0.1]);
    expect(steps(30)).toBeCloseTo(0.01, 12);
    expect(steps(60)).toBeCloseTo(0.001, 12);
    expect(constantSchedule(0.3)(1e6)).toBe(0.3);
  });

  test("refuse rates and lengths that make no sense", () => {
    for (const peak of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => constantSchedule(peak)).toThrow(RangeError);
    }
    expect(() => cosineSchedule(1, 0)).toThrow(RangeError);
    expect(() => oneCycleSchedule(1, 10, 1)).toThrow(RangeError);
    expect(() => stepSchedule(1, 0)).toThrow(RangeError);
  });
});
