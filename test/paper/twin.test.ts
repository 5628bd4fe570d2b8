import { describe, expect, it } from "vitest";
import { parseAttack } from "../../src/attacks/index.js";
import type { Cell, CellOutcome } from "../../src/paper/experiment.js";
import {
  renderTable2,
  renderTwin,
  table2Cells,
  table2Columns,
  table2Notes,
  table2Rows,
  table2Setting,
  twinCells,
  twinColumns,
  twinNotes,
  twinRows,
} from "../../src/paper/index.js";

/** An outcome with made-up shares: evaluation e's clean one is 0.9 - e / 10, its attack a's 0.5 - e / 10 - a / 100. */
function outcomeOf(cell: Cell): CellOutcome {
  const evaluations = cell.evaluations.map((plan, e) => ({
    images: plan.limit ?? 10_000,
    draws: 10,
    clean: { accuracy: 0.9 - e / 10, low: 0, high: 1 },
    attacks: plan.attacks.map((attack, a) => ({
      attack,
      robustAccuracy: 0.5 - e / 10 - a / 100,
      low: 0,
      high: 1,
      passes: { forward: 1, backward: 1 },
      seconds: 1,
    })),
    flags: [],
  }));
  const training = { alarms: [], seconds: 10, steps: 100, epochs: 4 } as unknown as CellOutcome["training"];
  return { cell, run: "runs/x", training, evaluations };
}

const means = (measured: Readonly<Record<string, { mean: number }>>, columns: readonly { key: string }[]) =>
  columns.map(({ key }) => (measured[key] === undefined ? undefined : Math.round(measured[key].mean) + 0));

describe("the twin's table", () => {
  const options = {
    network: "small",
    preset: "short",
    epochs: 4,
    seeds: { full: 2, sqa: 2 },
    limit: 50,
    strongLimit: 20,
  } as const;
  const cells = twinCells(options);

  it("trains both kinds alike on FGSM images, and evaluates SQA's network also with its quantizers off", () => {
    expect(cells.map(({ name }) => name)).toEqual([
      "small-full-seed0",
      "small-full-seed1",
      "small-sqa-seed0",
      "small-sqa-seed1",
    ]);
    const { sqa: _full, ...full } = cells[0]!.config;
    const { sqa: _sqa, ...quantized } = cells[2]!.config;
    expect(full).toEqual(quantized);
    expect(full.method).toContain("fgsm(epsilon=0.3");
    expect(cells[2]!.evaluations.map(({ twin, limit }) => [twin, limit])).toEqual([
      [undefined, 50],
      [undefined, 20],
      [true, 50],
      [true, 20],
    ]);
    for (const { attacks } of cells[2]!.evaluations) for (const attack of attacks) parseAttack(attack);
  });

  it("keeps the plan of a network as trained without the new key, so that kept evaluations are found", () => {
    expect(Object.keys(cells[0]!.evaluations[0]!)).not.toContain("twin");
  });

  it("sets SQA off beside SQA on and full precision, in the right columns", () => {
    const rows = twinRows(cells.map(outcomeOf));
    expect(rows.map(({ name }) => name)).toEqual(["full precision", "SQA, on", "SQA in training only (off)"]);
    expect(means(rows[0]!.measured, twinColumns)).toEqual([90, 50, 49, 40, 39, 38]);
    expect(means(rows[1]!.measured, twinColumns)).toEqual([90, 50, 49, 40, 39, 38]);
    expect(means(rows[2]!.measured, twinColumns)).toEqual([70, 30, 29, 20, 19, 18]);
    expect(renderTwin(rows, "markdown")).toContain("measured, 2 seeds");
    expect(twinNotes(rows, options).join(" ")).toContain("the first 50 test images, the last three on the first 20");
  });
});

describe("table 2", () => {
  it("is the paper's on a GPU, and says that it is reduced on a CPU", () => {
    expect(table2Setting("cuda")).toMatchObject({ epochs: 350, batchSize: 128, trainImages: null, limit: null });
    expect(table2Notes([], table2Setting("cuda")).join(" ")).not.toContain("reduced");
    expect(table2Notes([], table2Setting("cpu")).join(" ")).toContain(
      "A reduced setting, no reproduction: 15 epochs on all training images; the paper trains ResNet-34",
    );
    const few = { ...table2Setting("cuda"), epochs: 1, trainImages: 320 };
    expect(table2Notes([], few).join(" ")).toContain("1 epoch on the first 320 training images");
  });

  it("has ResNet-34 and -101 in full precision and with SQA, and the paper's numbers beside", () => {
    const options = { ...table2Setting("cuda"), seeds: 1 };
    const cells = table2Cells(options);
    expect(cells.map(({ config, evaluations }) => [config.network.split("(")[0], evaluations.length])).toEqual([
      ["resnet34", 2],
      ["resnet34", 6],
      ["resnet101", 2],
      ["resnet101", 6],
    ]);
    expect(cells[0]!.config.schedule).toContain("epochs=105");
    for (const { attacks } of cells[1]!.evaluations) for (const attack of attacks) parseAttack(attack);
    const rows = table2Rows(cells.map(outcomeOf), options);
    const none = undefined;
    expect(rows.slice(0, 3).map(({ measured }) => means(measured, table2Columns))).toEqual([
      [90, 50, 49, 48, 47, 46, 40, none, none],
      [90, 50, 49, 48, 47, 46, 40, 20, 30],
      [50, 10, 9, 8, 7, 6, 0, none, none],
    ]);
    expect(rows[2]).toMatchObject({ name: "ResNet-34, SQA in training only (off)" });
    expect(rows[2]!.paper).toBeUndefined();
    expect(cells[1]!.evaluations.map(({ twin, transferFromTwin }) => [twin, transferFromTwin])).toEqual([
      [none, false],
      [none, false],
      [none, true],
      [none, false],
      [true, false],
      [true, false],
    ]);
    // The paper's SQA ResNet-101: clean 82.94, PGD 52.12, C&W 41.52.
    expect(renderTable2(rows, "terminal")).toMatch(/ResNet-101, SQA +paper +82\.94 .*41\.52 +52\.12/);
  });

  it("has other networks under their own names, without the paper's numbers", () => {
    const options = { ...table2Setting("cpu"), networks: ["resnet18(width=8)"], trainImages: 64 };
    const cells = table2Cells(options);
    expect(cells.map(({ config }) => [config.network.includes("width=8"), config.limit, config.probeImages])).toEqual([
      [true, 64, 64],
      [true, 64, 64],
    ]);
    const rows = table2Rows(cells.map(outcomeOf), options);
    expect(rows.map(({ name, paper }) => [name, paper])).toEqual([
      ["resnet18(width=8), full precision", undefined],
      ["resnet18(width=8), SQA", undefined],
      ["resnet18(width=8), SQA in training only (off)", undefined],
    ]);
  });
});
