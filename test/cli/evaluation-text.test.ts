import { expect, test } from "vitest";
import { evaluationTable, imagesPerSecond } from "../../src/cli/commands/evaluate/evaluation-text.js";
import { captureOutput } from "./captured-output.js";

test.each([
  [1000, 3, 333],
  [10_000, 0.7, 14_300],
  [100, 1736.9, 0.0576],
])("%d images in %d seconds are %d a second", (images, seconds, rate) => {
  expect(imagesPerSecond(images, seconds)).toBe(rate);
});

test.each([
  [200, ["majority %", "forward", "backward"]],
  [80, ["majority %"]],
  [72, []],
])("at %d columns only the columns that are shown are explained", (columns, shown) => {
  using _ = captureOutput({ terminal: true, columns, environment: { NO_COLOR: "1" } });
  const figure = { accuracy: 0.5, low: 0.4, high: 0.6, perImage: Float32Array.of(0.5) };
  const votes = { majority: figure, everyDraw: figure };
  const attack = "pgd(epsilon=0.3, steps=40, norm=linf)";
  const passes = { forward: 41, backward: 40 };
  const row = { ...figure, attack, robustAccuracy: 0.5, votes, passes, seconds: 3.1 };
  const distances = { norm: "linf", images: 1, median: 0.1234, mean: 0.2345 } as const;
  const evaluation = {
    ...{ model: "small()", images: 1, draws: 20, clean: { ...figure, votes }, worstCases: [], flags: [] },
    attacks: [row, { ...row, attack: "fab(norm=linf)", distances }],
  };
  const given = { name: "run", evaluation, defenses: [], data: "mnist test", seed: 0, origin: {} };
  const text = evaluationTable(given);
  const has = (word: string) => text.includes(word);
  expect(["majority %", "forward", "backward"].filter(has), text).toEqual(shown);
  expect(text).toContain("accuracy: the mean of one draw");
  expect(has("majority: the vote of all 20 draws")).toBe(has("majority %"));
  expect(has("passes of an image")).toBe(shown.length === 3);
});
