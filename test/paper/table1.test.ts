import { describe, expect, it } from "vitest";
import { type CellOutcome, inPrecision } from "../../src/paper/experiment.js";
import { renderTable1, table1Cells, table1Columns, table1Notes, table1Rows } from "../../src/paper/table1.js";

const options = {
  networks: ["small"],
  preset: "paper",
  epochs: 20,
  seeds: { full: 3, sqa: 3 },
  limit: null,
  strongLimit: 1000,
} as const;

/** An outcome with made-up accuracies: the clean one, then one for each attack in the order of the plans. */
function outcomeOf(cell: CellOutcome["cell"], clean: number, attacked: number): CellOutcome {
  const accuracy = { accuracy: clean, low: clean, high: clean };
  const evaluations = cell.evaluations.map((plan) => ({
    images: plan.limit ?? 10_000,
    draws: 10,
    clean: { ...accuracy },
    attacks: plan.attacks.map((attack, i) => ({
      attack,
      robustAccuracy: attacked - i / 100,
      low: 0,
      high: 1,
      passes: { forward: 1, backward: 1 },
      seconds: 1,
    })),
    flags: [],
  }));
  const training = { alarms: [], seconds: 10, steps: 100, epochs: 20 } as unknown as CellOutcome["training"];
  return { cell, run: "runs/x", training, evaluations };
}

describe("table 1", () => {
  const cells = table1Cells(options);

  it("has a run for each kind and seed", () => {
    expect(cells.map((cell) => cell.name)).toEqual([
      "small-full-seed0",
      "small-full-seed1",
      "small-full-seed2",
      "small-sqa-seed0",
      "small-sqa-seed1",
      "small-sqa-seed2",
    ]);
    expect(cells.map((cell) => cell.config.sqa === null)).toEqual([true, true, true, false, false, false]);
    expect(new Set(cells.map((cell) => cell.config.epochs))).toEqual(new Set([20]));
  });

  it("has fewer runs in full precision where they are asked for", () => {
    const names = table1Cells({ ...options, seeds: { full: 1, sqa: 2 } }).map(({ name }) => name);
    expect(names).toEqual(["small-full-seed0", "small-sqa-seed0", "small-sqa-seed1"]);
  });

  it("shrinks the paper's schedule with the epochs", () => {
    expect(cells[0]!.config.schedule).toContain("epochs=6");
    expect(table1Cells({ ...options, epochs: 100 })[0]!.config.schedule).toContain("epochs=30");
  });

  it("takes the short recipe as it is", () => {
    const { config } = table1Cells({ ...options, preset: "short", epochs: 4 })[0]!;
    expect([config.schedule, config.cleanShare, config.epochs]).toEqual(["one-cycle(peak=0.05, peakAt=0.3)", 0, 4]);
  });

  it("sets the twin's column for SQA alone", () => {
    expect(cells.map((cell) => cell.evaluations.length)).toEqual([2, 2, 2, 3, 3, 3]);
    expect(cells[3]!.evaluations[2]!.transferFromTwin).toBe(true);
  });

  it("makes seeds of one network into a row of means and deviations, in the right columns", () => {
    const rows = table1Rows(cells.map((cell, i) => outcomeOf(cell, 0.9 + i / 100, 0.5)));
    expect(rows.map(({ network, kind, seeds }) => [network, kind, seeds.length])).toEqual([
      ["small", "full", 3],
      ["small", "sqa", 3],
    ]);
    const sqa = rows[1]!;
    expect(sqa.measured.clean!.mean).toBeCloseTo(94, 10);
    expect(sqa.measured.clean!.deviation).toBeCloseTo(1, 10);
    // Attacks of the paper's plan follow the columns: each one is a point lower in the made-up outcome.
    const keys = table1Columns.filter(({ paper, attack }) => paper && attack !== undefined).map(({ key }) => key);
    expect(keys.map((key) => sqa.measured[key]!.mean)).toEqual([50, 49, 48, 47, 46].map((x) => expect.closeTo(x, 10)));
    expect(sqa.measured["twin-0.3"]!.mean).toBeCloseTo(50, 10);
    expect(rows[0]!.measured["twin-0.3"]).toBeUndefined();
  });

  it("says what networks were trained in", () => {
    const rows = [cells, inPrecision(cells, "bfloat16")].flatMap((some) =>
      table1Rows(some.map((cell) => outcomeOf(cell, 0.97, 0.5))),
    );
    expect(rows.map(({ precision }) => precision)).toEqual(["float32", "float32", "bfloat16", "bfloat16"]);
    expect(renderTable1(rows, "markdown")).toContain("measured, 20 epochs, 3 seeds, bfloat16");
    expect(table1Notes(rows).join(" ")).toContain("Trained in float32 and bfloat16;");
    expect(table1Notes(rows.slice(0, 2)).join(" ")).toContain("Trained in float32;");
  });

  it("prints paper, measured and difference, and says what was shortened", () => {
    const rows = table1Rows(cells.map((cell) => outcomeOf(cell, 0.9761, 0.5)));
    const text = renderTable1(rows, "markdown");
    expect(text).toContain("measured, 20 epochs, 3 seeds");
    // 97.61 measured against the paper's 96.61.
    expect(text).toMatch(/difference.*\+1\.00/);
    expect(table1Notes(rows).join(" ")).toContain("the paper trains 100 epochs; here small 20");
  });
});
