import { afterAll, describe, expect, test } from "vitest";
import { countedUniform as reference } from "../../src/base/philox.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  type Noise,
  setThreads,
  tensor,
  threads,
} from "../../src/engine/index.js";

const seed = { low: 123456789, high: 987654321 };
const before = threads();
afterAll(() => setThreads(before));

describe("countedUniform", () => {
  test.each([
    [[1], 0, 0],
    [[7], 3, 1],
    [[4, 5, 5], 0xffffffff, 0xffffffff],
    [[2, 65], 1, 2 ** 30],
  ])("equals its readable reference, shape %j, draw %d, stream %d", (shape, draw, stream) => {
    const ids = [0, 5, 2 ** 32 - 1];
    const noise = { seed, draw, imageIds: tensor(ids, [3], "int64") };
    const elements = shape.reduce((a, b) => a * b, 1);
    const expected = ids.flatMap((image) =>
      Array.from({ length: elements }, (_, i) => reference(seed, { stream, draw, image }, i)),
    );
    for (const count of [1, 2, 4]) {
      setThreads(count);
      expect(countedUniform(noise, stream, shape).toNumbers()).toEqual(expected);
    }
  });

  test("does not depend on how images are split into batches", () => {
    const draw = (first: number, count: number) =>
      countedUniform({ seed, draw: 1, imageIds: imageIdRange(first, count) }, 2, [9]).toNumbers();
    expect([...draw(0, 3), ...draw(3, 4)]).toEqual(draw(0, 7));
  });

  test("is uniform: mean, variance and a chi-square of 64 bins", () => {
    const values = countedUniform({ seed, draw: 0, imageIds: imageIdRange(0, 10) }, 0, [10_000]).toNumbers();
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    const bins = new Array<number>(64).fill(0);
    for (const value of values) bins[Math.floor(value * 64)]!++;
    const expected = values.length / 64;
    const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / values.length));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    expect(chiSquare).toBeLessThan(63 + 5 * Math.sqrt(2 * 63));
  });

  test("refuses ids and words outside 32 bits", () => {
    const noise = (ids: number[]): Noise => ({ seed, draw: 0, imageIds: tensor(ids, [ids.length], "int64") });
    expect(() => countedUniform(noise([-1]), 0, [2])).toThrow(/image ids must lie in 0 .. 2\^32 - 1, not -1/);
    expect(() => countedUniform(noise([2 ** 32]), 0, [2])).toThrow(/image ids must lie in/);
    expect(() => countedUniform({ ...noise([0]), draw: -1 }, 0, [2])).toThrow(RangeError);
    expect(() => countedUniform(noise([0]), 2 ** 32, [2])).toThrow(RangeError);
    expect(() => countedUniform({ ...noise([0]), imageIds: tensor([0]) }, 0, [2])).toThrow(
      /image ids must be int64/,
    );
    expect(() => imageIdRange(2 ** 32 - 1, 2)).toThrow(RangeError);
    expect(() => countedNormal(noise([0]), 2 ** 31, [2])).toThrow(RangeError);
  });
});

test("countedNormal has the moments of a standard normal", () => {
  const values = countedNormal({ seed, draw: 0, imageIds: imageIdRange(0, 10) }, 0, [10_000]).toNumbers();
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
  expect(Math.abs(moment(1))).toBeLessThan(0.016);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.023);
  expect(Math.abs(moment(3))).toBeLessThan(0.062);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.16);
});
