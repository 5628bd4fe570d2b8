import { describe, expect, it } from "vitest";
import type { Cell, CellOutcome } from "../../src/paper/experiment.js";
import {
  demoCells,
  figure1Cells,
  figure1Chart,
  figure1Series,
  overfittingChart,
  renderDemo,
} from "../../src/paper/index.js";
import { renderSvg } from "../../src/report/chart.js";
import { type EpochEvent, trainConfig } from "../../src/training/index.js";

const figure = { epochs: 5, seed: 0, limit: 100, epsilons: [0, 0.1, 0.3] };

/** An outcome whose attacks leave 90, 80, ... percent. */
function outcomeOf(cell: Cell): CellOutcome {
  const evaluations = cell.evaluations.map((plan) => ({
    images: 100,
    draws: 1,
    clean: { accuracy: 0.99, low: 0.98, high: 1 },
    attacks: plan.attacks.map((attack, i) => ({
      attack,
      robustAccuracy: 0.9 - i / 10,
      low: 0.5,
      high: 1,
      passes: { forward: 1, backward: 1 },
      seconds: 1,
    })),
    flags: [],
  }));
  const training = { epochs: 5, steps: 10, seconds: 1, alarms: [] } as unknown as CellOutcome["training"];
  return { cell, run: "runs/x", training, evaluations };
}

function epochOf(epoch: number, fgsm: number, pgd: number): EpochEvent {
  const probes = [
    { attack: "fgsm(epsilon=0.3)", accuracy: fgsm },
    { attack: "pgd(epsilon=0.3)", accuracy: pgd },
  ];
  const rest = { loss: 1, clean: 0.99, commonestClass: 0.1, seconds: 1, secondsPerStep: 0.1 };
  return { type: "epoch", epoch, step: epoch * 10, probes, ...rest };
}

describe("figure 1", () => {
  const cells = figure1Cells(figure);

  it("has a network without quantization and one for each layer, quantized deterministically", () => {
    expect(cells.map(({ config }) => config.sqa?.layers)).toEqual([
      undefined,
      { relu1: 1 },
      { relu2: 1 },
      { relu3: 1 },
    ]);
    expect(cells.slice(1).every(({ config }) => config.sqa?.rounding === "nearest")).toBe(true);
  });

  it("draws a line for each, from the clean accuracy at 0 to the largest epsilon", async () => {
    const series = figure1Series(cells.map(outcomeOf), figure);
    expect(series[0]!.points.map(({ x, y }) => [x, y])).toEqual([
      [0, 0.99],
      [0.1, 0.9],
      [0.3, 0.8],
    ]);
    const svg = await renderSvg(figure1Chart(series, figure));
    for (const { name } of series) expect(svg).toContain(name);
  });
});

describe("the overfitting figure", () => {
  it("draws FGSM and PGD for each run", async () => {
    const epochs = [epochOf(1, 0.9, 0.8), epochOf(2, 0.95, 0.1)];
    const runs = [
      { config: trainConfig({}), epochs },
      { config: trainConfig({ sqa: {} }), epochs },
    ];
    const svg = await renderSvg(overfittingChart(runs));
    for (const kind of ["full precision", "SQA"]) {
      for (const probe of ["fgsm(epsilon=0.3)", "pgd(epsilon=0.3)"]) expect(svg).toContain(`${kind}, ${probe}`);
    }
    expect(svg).toContain("of 1 seed on");
  });

  it("says how many seeds each kind has where they have not as many", async () => {
    const epochs = [epochOf(1, 0.9, 0.8)];
    const runs = [null, {}, {}, {}].map((sqa, seed) => ({ config: trainConfig({ sqa, seed }), epochs }));
    expect(await renderSvg(overfittingChart(runs))).toContain("of 1 and 3 seeds on");
  });
});

describe("the demo", () => {
  it("trains both networks alike, and sets paper beside measured", () => {
    const cells = demoCells();
    const { sqa: plain, ...full } = cells[0]!.config;
    const { sqa, ...quantized } = cells[1]!.config;
    expect(full).toEqual(quantized);
    expect([plain, sqa?.layers]).toEqual([null, { relu1: 1, relu2: 2 }]);
    const text = renderDemo(cells.map(outcomeOf));
    expect(text).toContain("SQA, paper (100 epochs)");
    // The paper's clean accuracy and PGD of SQA, and the made-up clean accuracy.
    expect(text).toMatch(/SQA, paper.*96\.61.*7\.43/);
    expect(text).toMatch(/SQA, measured \(5 epochs\).*99\.00.*90\.00.*80\.00/);
  });
});
