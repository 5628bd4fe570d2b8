import { describe, expect, it } from "vitest";
import {
  difference,
  falls,
  isAbove,
  isAboveAny,
  normalQuantile,
  signTest,
} from "../../../src/evaluation/audit/difference.js";
import { Answers } from "../../../src/trials/index.js";

/** Answers to n images, right for those before `right`. */
function first(right: number, n: number): Answers {
  const answers = new Answers(n, 1);
  answers.halves[0].fill(1, 0, right);
  return answers;
}

describe("difference", () => {
  it("has the interval of Agresti and Min (2005)", () => {
    // Their formula with 20 and 5 of 100 pairs discordant, half a pair added to each of four cells: width by
    // hand.
    const [above, below] = [new Answers(100, 1), new Answers(100, 1)];
    above.halves[0].fill(1, 0, 20);
    below.halves[0].fill(1, 20, 25);
    const [b, c, n] = [20.5, 5.5, 102];
    const half = 1.959964 * Math.sqrt((b + c - (b - c) ** 2 / n) / n ** 2);
    const { points, error } = difference(above, below);
    expect(points).toBeCloseTo(15, 10);
    // About the raw points, whose denominator is 100, not 102.
    expect(error).toBeCloseTo(100 * half * (n / 100), 1);
  });

  it("is the interval of their R code about the raw difference", () => {
    // The example of diffpropci.mp in the R package PropCIs: 40 and 20 of 160 pairs discordant.
    const [above, below] = [new Answers(160, 1), new Answers(160, 1)];
    above.halves[0].fill(1, 0, 40);
    below.halves[0].fill(1, 40, 60);
    const [low, high] = [0.03089632, 0.21601726].map((end) => (100 * end * 162) / 160);
    const { points, error } = difference(above, below);
    expect(points - error).toBeCloseTo(low!, 2);
    expect(points + error).toBeCloseTo(high!, 2);
  });

  it("takes 5 images that differ all one way for chance, and 6 not, of however many", () => {
    // The exact two-sided chances are 1 in 16 and 1 in 32.
    expect(isAbove(first(100, 100), first(95, 100))).toBe(false);
    expect(isAbove(first(100, 100), first(94, 100))).toBe(true);
    for (const n of [1, 3, 5]) expect(isAbove(first(n, n), first(0, n))).toBe(false);
    expect(isAbove(first(6, 6), first(0, 6))).toBe(true);
  });

  it("proves nothing on 5 images of a randomized model either", () => {
    const inDraws = (right: number, n: number) => {
      const answers = new Answers(n, 2);
      for (const half of answers.halves) half.fill(right);
      return answers;
    };
    expect(isAbove(inDraws(1, 5), inDraws(0, 5))).toBe(false);
    expect(isAbove(inDraws(1, 6), inDraws(0, 6))).toBe(true);
  });

  it("asks for more where any of several may be it", () => {
    const several = [first(94, 100), first(100, 100), first(100, 100), first(100, 100)];
    expect(isAboveAny(first(100, 100), several.slice(0, 1))).toBe(true);
    expect(isAboveAny(first(100, 100), several)).toBe(false);
  });
});

describe("falls", () => {
  it("takes each image of a deterministic model for a proof, and asks more of a randomized one", () => {
    expect(falls(first(20, 20), first(19, 20), 2)).toBe(true);
    expect(falls(first(100, 100), first(98, 100), 2)).toBe(false);
    expect(falls(first(100, 100), first(97, 100), 2)).toBe(true);
    const inDraws = (correct: number) => {
      const answers = new Answers(20, 2);
      for (const half of answers.halves) half.fill(1, 0, correct);
      return answers;
    };
    expect(falls(inDraws(20), inDraws(17), 2)).toBe(false);
    expect(falls(inDraws(20), inDraws(10), 2)).toBe(true);
  });
});

describe("signTest", () => {
  // scipy.stats.binomtest(min(b, c), b + c).pvalue
  it.each([
    [6, 0, 0.03125],
    [5, 5, 1],
    [10, 2, 0.03857421875],
    [20, 5, 0.004077315330505371],
    [0, 0, 1],
  ])("of %d against %d images is exact", (b, c, p) => {
    const [above, below] = [new Answers(30, 1), new Answers(30, 1)];
    above.halves[0].fill(1, 0, b);
    below.halves[0].fill(1, b, b + c);
    expect(signTest(above, below)).toBeCloseTo(p, 12);
    expect(signTest(below, above)).toBeCloseTo(p, 12);
  });

  it("holds for more images than 2^-n can be written for", () => {
    expect(signTest(first(3000, 3000), first(0, 3000))).toBe(0);
    const [above, below] = [new Answers(3000, 1), new Answers(3000, 1)];
    above.halves[0].fill(1, 0, 1500);
    below.halves[0].fill(1, 1500, 3000);
    expect(signTest(above, below)).toBeCloseTo(1, 6);
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
