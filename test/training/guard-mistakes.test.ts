import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineGuard } from "../../src/index.js";

const rules = { interval: 2, signalInterval: 1, images: 20, steps: 2, factor: 0.5, limit: 2 };

/** Value of a guard whose `create` returns something. */
const guardOf = (made: unknown) =>
  defineGuard("mine", { summary: "mine", options: z.strictObject({}), create: () => made as never })();

describe("mistakes of a guard's writer are named", () => {
  const all =
    "an object of interval, signalInterval, images, steps, limit, factor, or undefined for no guard";

  test.each<[string, unknown, string]>([
    ["rules that stand alone", rules, `create must return { rules }: ${all}`],
    ["a promise of rules", { rules: Promise.resolve(rules) }, `rules must be ${all}, not a Promise`],
    ["true", { rules: true }, `rules must be ${all}, not true`],
    [
      "a rule left out",
      { rules: { interval: 2 } },
      "signalInterval must be a whole number of at least 1, not undefined",
    ],
    [
      "an interval of 0",
      { rules: { ...rules, interval: 0 } },
      "interval must be a whole number of at least 1, not 0",
    ],
    [
      "half an image",
      { rules: { ...rules, images: 2.5 } },
      "images must be a whole number of at least 1, not 2.5",
    ],
    [
      "steps as text",
      { rules: { ...rules, steps: "2" } },
      'steps must be a whole number of at least 1, not "2"',
    ],
    [
      "a limit below 0",
      { rules: { ...rules, limit: -1 } },
      "limit must be a whole number of at least 0, not -1",
    ],
    ["NaN", { rules: { ...rules, factor: Number.NaN } }, "factor must be a number in (0, 1), not NaN"],
    ["a factor that grows", { rules: { ...rules, factor: 3 } }, "factor must be a number in (0, 1), not 3"],
  ])("%s", (_, made, message) => {
    expect(() => guardOf(made)).toThrow(`guard mine: ${message}`);
  });

  test("rules that fit, or none, are taken", () => {
    expect(guardOf({ rules }).rules).toEqual(rules);
    expect(guardOf({ rules: undefined }).rules).toBeUndefined();
  });
});
