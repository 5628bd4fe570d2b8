import { expect, test } from "vitest";
import { evaluationTable, imagesPerSecond } from "../../src/cli/commands/evaluate/evaluation-text.js";
import type { AttackEvaluation } from "../../src/evaluation/index.js";
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

const call = "pgd(epsilon=2, stepSize=0.2, norm=l2, steps=20)";

/** Table of an evaluation in which an attack has a flag, and the same with more steps has failed. */
function warned(verbose: boolean): string {
  const none = {
    low: 0,
    high: 1,
    passes: { forward: 1, backward: 1 },
    seconds: 1,
    perImage: new Float32Array(),
  };
  const failed = call.replace("20)", "40)");
  const attacks: AttackEvaluation[] = [
    { attack: call, robustAccuracy: 0.5, ...none },
    { attack: failed, robustAccuracy: Number.NaN, ...none, error: `the logits are NaN under ${failed}` },
  ];
  const message = `the gradient of the loss of ${call} is zero for 9 of 9 images: temperature(..., value=10)`;
  return evaluationTable(
    {
      ...{ name: "x", defenses: [], data: "mnist", seed: 0, origin: {} },
      evaluation: {
        ...{ model: "small", images: 9, draws: 1, worstCases: [], attacks },
        clean: { accuracy: 1, low: 0, high: 1, perImage: new Float32Array() },
        flags: [{ kind: "vanishing-gradients", message, attack: call }],
      },
    },
    verbose,
  ).replace(/\s+/g, " ");
}

test("warnings name attacks as their rows do, in full with --verbose", () => {
  const short = warned(false);
  expect(short).not.toContain("pgd(");
  expect(short).toContain(
    "warning: the gradient of the loss of PGD-20, l2 eps 2 is zero for 9 of 9 images: temperature(..., value=10)",
  );
  expect(short).toContain("PGD-40, l2 eps 2 failed: the logits are NaN under PGD-40, l2 eps 2");
  const full = warned(true);
  expect(full).toContain(`warning: the gradient of the loss of ${call} is zero`);
  expect(full).toContain("steps=40) failed: the logits are NaN under pgd(");
});
