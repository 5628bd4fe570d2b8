import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { defineSchedule, schedules } from "../../src/nn/index.js";
import { testDefinition } from "../options/kind-contract.js";

/** Schedule of somebody else's: a rate that falls as the root of the steps done. */
const rootRate = defineSchedule("root", {
  summary: "falls as the root of the steps done",
  options: z.strictObject({ peak: z.number().gt(0).default(0.1).describe("highest learning rate") }),
  rates:
    ({ peak }) =>
    (step) =>
      peak / Math.sqrt(step + 1),
});
afterAll(schedules.register(rootRate));

describe.each(schedules.names)("schedule %s", (name) => {
  const definition = schedules.definition(name);
  testDefinition(schedules, definition);
  const run = (epochs: number, stepsPerEpoch: number, options: object = {}) => {
    const rate = definition.make(options).rates({ epochs, stepsPerEpoch });
    return Array.from({ length: epochs * stepsPerEpoch }, (_, step) => rate(step));
  };
  const lengths = [
    [1, 1],
    [1, 2],
    [3, 1],
    [5, 7],
    [90, 4],
  ] as const;

  test.each(lengths)("has a rate for each step of %i epochs of %i steps, up to its peak", (epochs, steps) => {
    const rates = run(epochs, steps, { peak: 0.25 });
    for (const rate of rates) expect(rate > 0 && rate <= 0.25 + 1e-15).toBe(true);
    // A run that is long enough comes close to the peak.
    if (rates.length > 20) expect(Math.max(...rates)).toBeGreaterThan(0.24);
  });

  test("is a function of the step alone, and in proportion to its peak", () => {
    const rate = definition.make({ peak: 0.25 }).rates({ epochs: 5, stepsPerEpoch: 7 });
    const rates = run(5, 7, { peak: 0.25 });
    for (const step of [34, 3, 0, 17, 3]) expect(rate(step)).toBe(rates[step]);
    for (const [step, half] of run(5, 7, { peak: 0.125 }).entries())
      expect(half).toBeCloseTo(rates[step]! / 2, 12);
  });

  test("refuses lengths and peaks that make no sense", () => {
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => run(wrong, 3)).toThrow("epochs must be a whole number >= 1");
      expect(() => definition.make({}).rates({ epochs: 3, stepsPerEpoch: wrong })).toThrow(
        "stepsPerEpoch must be",
      );
      if (!(wrong > 0 && wrong < 2))
        expect(() => definition.make({ peak: wrong })).toThrow('option "peak" cannot be');
    }
    expect(() => definition.make({}).rates(undefined as never)).toThrow(TypeError);
  });
});
