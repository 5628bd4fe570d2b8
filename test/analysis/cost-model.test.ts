import { expect, test } from "vitest";
import { equation10, fittedForwardBackward, predictedSeconds } from "../../src/analysis/cost-model.js";

test("a step costs a pass for each gradient step and one to train", () => {
  expect([0, 1, 10, 100].map((kappa) => predictedSeconds(kappa, 0.11))).toEqual(
    [0.11, 0.22, 1.21, 11.11].map((seconds) => expect.closeTo(seconds, 10)),
  );
});

test("the fit is exact on exact times, and the minimum of the squares on others", () => {
  const exact = [0, 1, 10].map((kappa) => ({ kappa, seconds: (kappa + 1) * 0.25 }));
  expect(fittedForwardBackward(exact)).toBeCloseTo(0.25, 12);
  // T = (0.43 * 2 + 1.23 * 11) / (4 + 121), the paper's two times.
  const paper = [
    { kappa: 1, seconds: 0.43 },
    { kappa: 10, seconds: 1.23 },
  ];
  const fitted = fittedForwardBackward(paper);
  expect(fitted).toBeCloseTo(14.39 / 125, 12);
  const squares = (time: number) =>
    paper.reduce((sum, { kappa, seconds }) => sum + (seconds - (kappa + 1) * time) ** 2, 0);
  expect(squares(fitted)).toBeLessThan(Math.min(squares(fitted * 1.01), squares(fitted * 0.99)));
});

test("times and steps that are none are refused", () => {
  expect(() => predictedSeconds(1.5, 1)).toThrow("kappa must be an integer >= 0, not 1.5");
  expect(() => predictedSeconds(1, Number.NaN)).toThrow("seconds must be finite and >= 0, not NaN");
  expect(() => fittedForwardBackward([])).toThrow("measured must hold at least one step");
});

test("weighs PGD's passes against SQA's share of a pass, by equation 10", () => {
  // The paper's times: tau = 0.43 / 2, alpha = (0.57 - 0.43) / 2, PGD of 100 steps.
  expect(equation10(100, 0.215, 0.07)).toBeCloseTo((99 / 2) * (0.215 / 0.07), 10);
  expect(equation10(1, 0.2, 0.1)).toBe(0);
  expect(() => equation10(10, 0.2, 0)).toThrow("alpha must be finite and above 0, not 0");
});
