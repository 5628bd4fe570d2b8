import { expect, it } from "vitest";
import { secondsLeft } from "../../src/cli/commands/audit/progress.js";

it("says at first what the estimate says, and later what the pace of the work says", () => {
  expect(secondsLeft(240, 0, 0)).toBe(240);
  // A first batch that takes three times as long does not make 4 minutes 12.
  expect(secondsLeft(240, 2, 6)).toBeCloseTo(238 * (36 / 32), 9);
  // Half of the work in a quarter of the time: as much again is left, and a little for the doubt.
  expect(secondsLeft(2400, 1200, 300)).toBeCloseTo(1200 * (330 / 1230), 9);
  expect(secondsLeft(240, 250, 100)).toBe(0);
});
