import { expect, it } from "vitest";
import { leftOutText } from "../../dashboard/data/compared.js";

it("names the chosen runs that are not compared", () => {
  const names = Array.from({ length: 10 }, (_, i) => `run-${i}`);
  expect(leftOutText(names, names.slice(0, 8))).toBe(
    "Not compared: run-8, run-9 (at most 8 runs are compared, and a run may be gone).",
  );
  expect(leftOutText(["a", "b", "a"], ["a", "b"])).toBeUndefined();
});
