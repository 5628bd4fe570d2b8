import { expect, it } from "vitest";
import { attackNames, duration, epochText, radius } from "../../dashboard/data/format.js";

it("shortens the names of attacks, but for those that would be alike", () => {
  const calls = ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=2/255, steps=20)", "fgsm"];
  expect(attackNames(calls)).toEqual(["FGSM, eps 8/255", "PGD-20, eps 8/255", "FGSM"]);
  const alike = ["pgd(steps=20)", "pgd(stepSize=0.1, steps=20)"];
  expect(attackNames(alike)).toEqual(alike);
  expect(attackNames(["expectation(pgd(steps=5), draws=3)"])).toEqual(["expectation(pgd(steps=5), draws=3)"]);
});

it("writes radii in 255ths where they are", () => {
  expect([8 / 255, 0.3, 0.1234567].map(radius)).toEqual(["8/255", "0.3", "0.1235"]);
});

it("writes durations in their largest two units, of which none is full", () => {
  const seconds = [0.04, 9.96, 59.4, 59.6, 119.7, 3599.4, 3599.7, 7199, 7260];
  expect(seconds.map(duration)).toEqual([
    "0.0 s",
    "10 s",
    "59 s",
    "1 min 0 s",
    "2 min 0 s",
    "59 min 59 s",
    "1 h 0 min",
    "2 h 0 min",
    "2 h 1 min",
  ]);
  expect(duration(null)).toBe("–");
});

it("says of a finished run's epoch that it is the best where it is not the last", () => {
  expect(epochText({ state: "finished", epoch: 3, epochs: 30 })).toBe("3 of 30, the best");
  expect(epochText({ state: "finished", epoch: 30, epochs: 30 })).toBe("30 of 30");
  expect(epochText({ state: "stopped", epoch: 3, epochs: 30 })).toBe("3 of 30");
  expect(epochText({ state: "running", epoch: null, epochs: null })).toBe("– of –");
});
