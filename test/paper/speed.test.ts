import { describe, expect, it } from "vitest";
import { parseAttack } from "../../src/attacks/index.js";
import {
  type CellOutcome,
  renderSpeed,
  type SpeedOptions,
  speedCells,
  speedMeans,
  speedNotes,
  speedRows,
} from "../../src/paper/index.js";
import { presets } from "../../src/training/index.js";

const options: SpeedOptions = {
  preset: "modern",
  network: "resnet18",
  epochs: 15,
  seeds: 2,
  limit: null,
  strongLimit: 50,
};
const cells = speedCells(options);
const outcomes = cells.map((cell, seed) => ({
  cell,
  training: {
    seconds: 30 + 10 * seed,
    last: { seconds: 2 + seed },
    alarms: seed === 0 ? [] : [{ kind: "constant-output" }],
  },
  evaluations: [
    { clean: { accuracy: 0.8 }, attacks: [{ robustAccuracy: 0.5 - 0.25 * seed }] },
    { clean: { accuracy: 0.7 }, attacks: [{ robustAccuracy: 0.42 }] },
  ],
})) as unknown as CellOutcome[];

describe("speed", () => {
  it("is a preset with what is given in place of its own", () => {
    const [first] = cells;
    expect(cells.map(({ config }) => config.seed)).toEqual([0, 1]);
    expect(first!.config).toMatchObject({ dataset: "cifar10", epochs: 15, averaging: 0.9995, selection: "best" });
    expect(first!.config.network).toMatch(/^resnet18\(/);
    expect(first!.evaluations.map(({ limit }) => limit)).toEqual([null, 50]);
    expect(speedCells({ ...options, method: "fgsm(epsilon=8/255)" })[0]!.config.method).toMatch(/^fgsm\(/);
  });

  it.each(Object.keys(presets) as (keyof typeof presets)[])(
    "attacks what the preset %s trains at its radius",
    (preset) => {
      const { config, evaluations } = speedCells({ preset, seeds: 1, limit: null, strongLimit: null })[0]!;
      const epsilon = config.dataset === "cifar10" ? 8 / 255 : 0.3;
      for (const { attacks } of evaluations) {
        for (const attack of attacks) expect(parseAttack(attack).traits.radius).toBeCloseTo(epsilon, 12);
      }
    },
  );

  it("shows each seed and their mean, seconds as they are and accuracies in percent", () => {
    const rows = speedRows(outcomes);
    expect(rows[1]).toEqual({
      seed: 1,
      epochSeconds: 3,
      seconds: 40,
      clean: 80,
      pgd: 25,
      autoattack: 42,
      replayed: false,
      alarms: ["constant-output"],
    });
    expect(speedMeans(rows).pgd.mean).toBeCloseTo(37.5, 12);
    const text = renderSpeed(rows, "markdown");
    expect(text).toMatch(/seed 1 \| +3\.00 \| +40\.0 \| +80\.00 \| +25\.00 \| +42\.00 \| constant-output/);
    expect(text).toMatch(/mean +\| +2\.50 \| +35\.0 /);
    expect(renderSpeed(rows.slice(0, 1), "markdown")).not.toContain("mean");
    expect(renderSpeed([{ ...rows[0]!, seconds: 2899.6 }], "markdown")).toContain(" 2900 ");
  });

  it("says what was trained and on how many images it was attacked", () => {
    const notes = speedNotes(cells, options).join(" ");
    expect(notes).toContain("n-fgsm(epsilon=8/255");
    expect(notes).toContain("clean and PGD on all test images, AutoAttack on the first 50 test images");
  });
});
