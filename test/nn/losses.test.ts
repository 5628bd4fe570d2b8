import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tensor } from "../../src/engine/index.js";
import { losses, meanCrossEntropy, targetedLosses } from "../../src/nn/index.js";

const golden = JSON.parse(
  readFileSync(new URL("../golden/losses_and_sqa.json", import.meta.url), "utf8"),
).losses;
const logits = tensor(new Float32Array(golden.logits.data), golden.logits.shape);
const labels = tensor(golden.y as number[], [8], "int64");
const row = (i: number): number[] => golden.logits.data.slice(i * 10, i * 10 + 10);

test.each([
  ["cross-entropy", golden.ce as number[]],
  ["margin", (golden.margin_cw_correct_minus_best_other as number[]).map((value) => -value)],
  ["dlr", golden.dlr as number[]],
] as const)("%s matches the published values", (name, expected) => {
  for (const [i, value] of losses[name](logits, labels).toNumbers().entries()) {
    expect(value).toBeCloseTo(expected[i]!, 5);
  }
});

test.each([
  ["cross-entropy", (i: number) => logits.logSoftmax(1).select(0, i).toNumbers()[golden.y_target[i]]!],
  ["margin", (i: number) => row(i)[golden.y_target[i]]! - row(i)[golden.y[i]]!],
  ["dlr", (i: number) => golden.dlr_targeted[i] as number],
] as const)("targeted %s matches its definition, DLR the published values", (name, expected) => {
  const targets = tensor(golden.y_target as number[], [8], "int64");
  for (const [i, value] of targetedLosses[name](logits, labels, targets).toNumbers().entries()) {
    expect(value).toBeCloseTo(expected(i), 5);
  }
});

test("the mean cross-entropy is the mean, and smooths labels towards uniform ones", () => {
  const rows = Array.from({ length: 8 }, (_, n) =>
    (golden.logits.data as number[]).slice(n * 10, n * 10 + 10),
  );
  const logSum = (row: number[]) => Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const hard = mean(golden.ce as number[]);
  const uniform = mean(rows.map((row) => logSum(row) - mean(row)));
  expect(meanCrossEntropy(logits, labels).item()).toBeCloseTo(hard, 5);
  expect(meanCrossEntropy(logits, labels, 0.2).item()).toBeCloseTo(0.8 * hard + 0.2 * uniform, 5);
  // libtorch takes both for 0.
  for (const share of [-0.1, Number.NaN]) {
    const refused = new RangeError(`labelSmoothing must be in [0, 1], not ${share}`);
    expect(() => meanCrossEntropy(logits, labels, share)).toThrow(refused);
  }
});

test("DLR needs three classes, its targeted form four", () => {
  const label = tensor([0], [1], "int64");
  expect(() => losses.dlr(tensor([1, 2], [1, 2]), label)).toThrow(
    new RangeError("the DLR loss needs 3 classes or more, not 2"),
  );
  expect(() => targetedLosses.dlr(tensor([1, 2, 3], [1, 3]), label, label)).toThrow(
    new RangeError("the targeted DLR loss needs 4 classes or more, not 3"),
  );
});

test("DLR does not see the scale of the logits, and is finite where they are alike", () => {
  const targets = tensor(golden.y_target as number[], [8], "int64");
  for (const power of [-90, 60]) {
    const scaled = logits.mul(2 ** power);
    expect(losses.dlr(scaled, labels).sub(losses.dlr(logits, labels)).abs().amax().item()).toBeLessThan(1e-6);
    const targeted = targetedLosses
      .dlr(scaled, labels, targets)
      .sub(targetedLosses.dlr(logits, labels, targets));
    expect(targeted.abs().amax().item()).toBeLessThan(1e-6);
  }
  expect([...losses.dlr(logits.zerosLike(), labels).toNumbers()]).toEqual(new Array(8).fill(0));
});
