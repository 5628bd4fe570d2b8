import { describe, expect, test } from "vitest";
import { formats, fuzz } from "./image-fuzz.js";

/** Files of each format; thousands are read by hand. */
const count = 40;

describe.each(Object.keys(formats))("mutated files: %s", (format) => {
  test("are refused by name, or read; soon, and in little memory", async () => {
    const whole = await fuzz(format, 1, 0, (original) => original);
    expect(whole).toMatchObject({ refused: 0, accepted: 1, reasons: [] });
    const found = await fuzz(format, count, 1);
    expect(found.wrong).toEqual([]);
    expect(found.refused).toBeGreaterThan(0);
    expect(found.slowest).toBeLessThan(5000);
    expect(found.memory).toBeLessThan(1e9);
  }, 120_000);
});
