import { expect, it } from "vitest";
import { Answers, everyDrawOf, majorityOf } from "../../../src/trials/index.js";

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
