import { describe, expect, test } from "vitest";
import { optimizers, schedules } from "../../src/nn/index.js";

const rates = (text: string, epochs = 10, stepsPerEpoch = 4) => {
  const rate = schedules.parse(text).rates({ epochs, stepsPerEpoch });
  return Array.from({ length: epochs * stepsPerEpoch }, (_, step) => rate(step));
};

describe("a schedule of a run", () => {
  test("constant stays", () => {
    expect(new Set(rates("constant(peak=0.3)"))).toEqual(new Set([0.3]));
  });

  test("step drops to a tenth every 30 epochs, as the paper's", () => {
    const rate = rates("step(peak=0.1)", 100, 2);
    expect([0, 59, 60, 119, 120, 179, 180, 199].map((step) => rate[step]!.toPrecision(6))).toEqual(
      [0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 1e-4, 1e-4].map((value) => value.toPrecision(6)),
    );
  });

  test("cosine is half its peak half way", () => {
    const rate = rates("cosine(peak=0.2)");
    expect(rate[0]).toBe(0.2);
    expect(rate[20]).toBeCloseTo(0.1, 12);
    expect(rate[39]).toBeLessThan(0.002);
  });

  test.each(["one-cycle(peak=0.2)", "triangular(peak=0.2)", "triangular(peak=0.2, peakAt=0.2)"])(
    "%s goes up once and down once, never over its peak",
    (text) => {
      const rate = rates(text);
      const top = rate.indexOf(Math.max(...rate));
      expect(rate[top]).toBeLessThanOrEqual(0.2);
      expect(rate[top]).toBeGreaterThan(0.18);
      expect(rate.every((value, i) => i === 0 || value > rate[i - 1]! === i <= top)).toBe(true);
      expect(rate.at(-1)).toBeGreaterThan(0);
    },
  );

  test.each(["constant", "step", "cosine", "triangular", "one-cycle"])(
    "%s works for a run of one step",
    (text) => {
      expect(rates(text, 1, 1)[0]).toBeGreaterThan(0);
    },
  );

  test("is checked", () => {
    expect(() => schedules.parse("onecycle")).toThrow('did you mean "one-cycle"?');
    expect(() => schedules.parse("step(factor=2)")).toThrow('option "factor" cannot be 2');
    expect(() => optimizers.parse("sdg")).toThrow('unknown optimizer "sdg"; did you mean "sgd"?');
  });
});
