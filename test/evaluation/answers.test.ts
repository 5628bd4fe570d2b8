import { describe, expect, it } from "vitest";
import { Answers, everyDrawOf, majorityOf, worstOf } from "../../src/evaluation/answers.js";

/** Answers of images in 10 draws, from their correct counts in the even and in the odd ones. */
function answers(counts: readonly (readonly [even: number, odd: number])[]): Answers {
  const made = new Answers(counts.length, 10);
  counts.forEach(([even, odd], i) => {
    made.halves[0][i] = even;
    made.halves[1][i] = odd;
    made.majority[i] = even + odd > 5 ? 1 : 0;
  });
  return made;
}

describe("worstOf", () => {
  it("chooses by one half of the draws and counts in the other", () => {
    const first = answers([
      [0, 5],
      [5, 5],
      [1, 1],
    ]);
    const second = answers([
      [4, 2],
      [0, 1],
      [5, 5],
    ]);
    // Image 0: the even draws choose the first, whose odd ones count 5; the odd ones choose the second, whose even ones count 4.
    expect([...worstOf([first, second]).correct]).toEqual([9, 1, 2]);
  });

  it("is never above a row that is lower as a whole", () => {
    const low = answers([
      [2, 3],
      [3, 2],
    ]);
    const noisy = answers([
      [1, 5],
      [5, 1],
    ]);
    // Chosen by halves: [noisy odd 5 + low even 2] and [low odd 2 + noisy even 5], 14 in all; low alone has 10.
    expect([...worstOf([noisy, low]).correct]).toEqual([5, 5]);
    expect([...worstOf([noisy, low]).majority]).toEqual([0, 0]);
  });

  it("refuses to choose among no rows", () => {
    expect(() => worstOf([])).toThrow("worstOf needs at least one row");
  });
});

it("counts images whose label has most answers, and those right in every draw", () => {
  const made = answers([
    [5, 5],
    [3, 3],
    [3, 2],
    [0, 0],
  ]);
  expect(majorityOf(made).accuracy).toBe(0.5);
  expect(everyDrawOf(made).accuracy).toBe(0.25);
});
