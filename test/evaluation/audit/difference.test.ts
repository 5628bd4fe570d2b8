import { describe, expect, it } from "vitest";
import { Answers } from "../../../src/evaluation/answers.js";
import { difference, isAbove, isAboveAny, normalQuantile } from "../../../src/evaluation/audit/difference.js";

/** Answers to n images, right for those before `right`. */
function first(right: number, n: number): Answers {
  const answers = new Answers(n, 1);
  answers.halves[0].fill(1, 0, right);
  return answers;
}

describe("difference", () => {
  it("has the interval of Agresti and Min (2005)", () => {
    // Their formula with 20 and 5 of 100 pairs discordant, half a pair added to each of four cells: width by hand.
    const [above, below] = [new Answers(100, 1), new Answers(100, 1)];
    above.halves[0].fill(1, 0, 20);
    below.halves[0].fill(1, 20, 25);
    const [b, c, n] = [20.5, 5.5, 102];
    const half = 1.959964 * Math.sqrt((b + c - (b - c) ** 2 / n) / n ** 2);
    const { points, error } = difference(above, below);
    expect(points).toBeCloseTo(15, 10);
    // Of the raw points, whose denominator is 100.
    expect(error).toBeCloseTo(100 * half * (n / 100), 1);
  });

  it("takes 4 images of 100 that differ all one way for chance, and 5 not", () => {
    // The exact one-sided chances are 1 in 16 and 1 in 32.
    expect(isAbove(first(100, 100), first(96, 100))).toBe(false);
    expect(isAbove(first(100, 100), first(95, 100))).toBe(true);
  });

  it("proves nothing on one image", () => {
    expect(isAbove(first(1, 1), first(0, 1))).toBe(false);
  });

  it("asks for more where any of several may be it", () => {
    const several = [first(95, 100), first(100, 100), first(100, 100), first(100, 100)];
    expect(isAboveAny(first(100, 100), several.slice(0, 1))).toBe(true);
    expect(isAboveAny(first(100, 100), several)).toBe(false);
  });
});

it.each([
  [0.5, 0],
  [0.025, 1.959964],
  [0.0125, 2.241403],
  [0.025 / 7, 2.690124],
])("the value exceeded with probability %d is %d", (probability, quantile) => {
  expect(Math.abs(normalQuantile(probability) - quantile)).toBeLessThan(4.5e-4);
});
