import { describe, expect, test } from "vitest";
import { type EpochEvent, epochAlarms } from "../../src/training/index.js";
import { newAlarms } from "../../src/training/overfitting/alarm.js";

/** An epoch as [clean, FGSM, PGD] accuracies in percent. */
function epochOf([clean, ...attacked]: readonly number[], index = 0, commonestClass = 0.12): EpochEvent {
  const attacks = ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, steps=20)"];
  return {
    type: "epoch",
    epoch: index + 1,
    step: 10 * (index + 1),
    loss: 0.5,
    clean: clean! / 100,
    validation: attacked.map((accuracy, i) => ({ attack: attacks[i]!, accuracy: accuracy / 100 })),
    commonestClass,
    seconds: 1,
    secondsPerStep: 0.1,
  };
}

const history = (rows: readonly (readonly number[])[]) => rows.map((row, index) => epochOf(row, index));
const kinds = (epochs: readonly EpochEvent[]) => epochAlarms(epochs).map(({ kind }) => kind);

describe("catastrophic overfitting", () => {
  test.each([
    [
      "FGSM rises while PGD collapses",
      [
        [95, 80, 70],
        [97, 88, 75],
        [98, 96, 20],
      ],
    ],
    [
      "PGD collapses slowly",
      [
        [95, 85, 75],
        [97, 86, 65],
        [98, 88, 54],
      ],
    ],
    ["overfitted within the first epoch", [[98.7, 99.5, 0.6]]],
    [
      "better than on clean images, as with leaking labels",
      [
        [97, 80, 60],
        [97, 99, 5],
      ],
    ],
  ])("%s", (_, rows) => {
    expect(kinds(history(rows))).toEqual(["catastrophic-overfitting"]);
  });

  test.each([
    [
      "a run that learns",
      [
        [60, 30, 10],
        [90, 70, 55],
        [97, 88, 80],
      ],
    ],
    [
      "standard training, robust to nothing",
      [
        [97, 20, 1],
        [98, 10, 0],
        [99, 8, 0],
      ],
    ],
    [
      "both fall together, as with too high a rate",
      [
        [95, 80, 70],
        [60, 30, 20],
      ],
    ],
    [
      "noise of some points",
      [
        [95, 85, 75],
        [95, 86, 62],
        [95, 86, 70],
      ],
    ],
    [
      "one attack",
      [
        [95, 85],
        [98, 99],
      ],
    ],
    ["no attack", [[95], [98]]],
    ["no epoch", []],
  ])("is not %s", (_, rows) => {
    expect(kinds(history(rows))).toEqual([]);
  });

  test("names both attacks and accuracies", () => {
    expect(epochAlarms(history([[98, 99, 5]]))[0]!.message).toBe(
      "catastrophic overfitting: 99.0 % under fgsm(epsilon=8/255), but 5.0 % under pgd(epsilon=8/255, steps=20)",
    );
  });
});

test("constant output is told from a data set of one class", () => {
  expect(kinds([epochOf([11, 11, 11], 0, 1)])).toEqual(["constant-output"]);
  expect(kinds([epochOf([11, 11, 11], 0, 0.96)])).toEqual(["constant-output"]);
  expect(kinds([epochOf([99, 90, 90], 0, 0.97)])).toEqual([]);
  expect(kinds([epochOf([60, 40, 40], 0, 0.5)])).toEqual([]);
});

test("an alarm is new only where its state begins", () => {
  const epochs = history([
    [97, 85, 75],
    [98, 97, 10],
    [98, 98, 5],
    [97, 85, 70],
    [98, 98, 4],
  ]);
  const raised = epochs.map((_, index) => newAlarms(epochs.slice(0, index + 1)).length);
  expect(raised).toEqual([0, 1, 0, 0, 1]);
});
