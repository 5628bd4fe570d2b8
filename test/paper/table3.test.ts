import { describe, expect, it } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import { type AccuracyData, table3 } from "../../src/paper/index.js";
import { columnOf, madeUpResult } from "./made-up.js";

const rowsOf = (data: object) => (data as AccuracyData).rows;

describe("table 3", () => {
  it("trains every defense once, and each has attacks of its own", () => {
    const cells = table3({ sources: ["runs/one", "runs/two"] }).cells("cpu");
    expect(cells.map(({ config: { defenses, method } }) => `${defenses} ${method.name}`)).toEqual([
      " standard",
      "sap standard",
      "thermometer(gradient=none) standard",
      "thermometer pgd",
      "thermometer ls-pga",
      "random-resize-pad standard",
      "binarized-network standard",
      "deterministic-quantization fgsm",
      " pgd",
      " ensemble-adversarial",
      "sqa fgsm",
    ]);
    const attack = (index: number, key: string) =>
      String(cells[index]!.questions.find((question) => columnOf(question) === key)!.attack);
    expect(attack(1, "adaptive")).toMatch(/^expectation\(.*backward\(.*through=straight-through\)/);
    expect(attack(2, "adaptive")).toMatch(/^worst-case\(backward\(.*through=straight-through\), ls-pga/);
    expect(attack(4, "adaptive")).toMatch(/^worst-case\(apgd\(.*\), ls-pga/);
    expect(attack(10, "adaptive")).toMatch(/^expectation\(pgd/);
    expect(cells[9]!.config).toMatchObject({ cleanWeight: 0.5 });
    expect(String(cells[9]!.config.method)).toBe("ensemble-adversarial(sources=[runs/one, runs/two])");
    for (const [i, { config, questions }] of cells.entries()) {
      const isRandom = config.defenses.some(({ randomized }) => randomized);
      expect(attack(i, "autoattack").includes("version=randomized")).toBe(isRandom);
      for (const { attack: one } of questions) expect(one?.traits.radius ?? 0.3).toBe(0.3);
    }
  });

  it("gives strong attacks in training a schedule of small batches, on MNIST", async () => {
    const schedules = (options: Parameters<typeof table3>[0]) =>
      table3(options)
        .cells("cpu")
        .map(({ config: { epochs, batchSize, optimizer } }) => `${epochs} ${batchSize} ${optimizer}`);
    const [usual, once, longer] = ["4 128 sgd", "2 50 adam", "6 50 adam"];
    expect(schedules({ rows: ["none", "thermometer", "thermometer-ls-pga"] })).toEqual([usual, once, once]);
    expect(schedules({ rows: ["deterministic-quantization", "pgd-training", "sqa"] })).toEqual([
      longer,
      longer,
      usual,
    ]);
    const { notes } = await madeUpResult(table3(), () => 0.4);
    expect(notes.join(" ")).toContain("2 epochs in batches of 50, adam, learning rate one-cycle(peak=0.002");
    expect(schedules({ rows: ["none", "pgd-training"], data: "cifar10" })).toEqual([
      "15 128 sgd",
      "15 128 sgd",
    ]);
  });

  it("audits every row but PixelDefend's, by the budget that is asked for", () => {
    const asked = (options: Parameters<typeof table3>[0]) =>
      table3({ density: "runs/density", ...options })
        .cells("cpu")
        .map(({ questions }) => questions.find(({ audit }) => audit !== undefined)?.audit);
    expect(asked({ rows: ["none", "sqa", "pixel-defend"] })).toEqual(["quick", "quick", undefined]);
    expect(asked({ rows: ["none"], audit: "standard" })).toEqual(["standard"]);
    expect(asked({ rows: ["none"], audit: "none" })).toEqual([undefined]);
  });

  it("leaves ensemble adversarial training out where it has no trained models", async () => {
    const keys = table3()
      .cells("cpu")
      .map(({ config }) => config.method.name);
    expect(keys).not.toContain("ensemble-adversarial");
    const { notes } = await madeUpResult(table3(), () => 0.4);
    expect(notes.join(" ")).toContain("Ensemble adversarial training is left out");
    const { table, data } = await madeUpResult(table3({ sources: ["runs/one"] }), () => 0.4);
    const { notes: joined } = table3().show(table3().join!(data, data));
    expect(rowsOf(data).some(({ key }) => key === "ensemble-adversarial")).toBe(true);
    expect(table.show(data).notes.join(" ")).not.toContain("left out");
    expect(joined.join(" ")).not.toContain("left out");
    expect(() => table3({ rows: ["ensemble-adversarial"] }).cells("cpu")).toThrow(
      "table3: row ensemble-adversarial needs trained models: give run folders as sources",
    );
  });

  it("is one of CIFAR-10 at 8/255 when asked, beside the paper's numbers", async () => {
    const table = table3({ data: "cifar10" });
    for (const { config, questions } of table.cells("cpu")) {
      expect(config.model.name).toBe("resnet18");
      for (const { attack } of questions) expect(attack?.traits.radius ?? 8 / 255).toBeCloseTo(8 / 255, 12);
    }
    const rows = rowsOf((await madeUpResult(table, () => 0.4)).data);
    const paper = Object.fromEntries(rows.map((row) => [row.key, row.paper]));
    expect(paper).toMatchObject({
      sap: { cw: 0 },
      thermometer: { pgd: 30 },
      "pgd-training": { pgd: 50, cw: 46.8 },
      sqa: { pgd: 52.1, cw: 41.5 },
    });
    expect(paper.none).toBeUndefined();
    expect(rowsOf((await madeUpResult(table3(), () => 0.4)).data).map((row) => row.paper)).not.toContain(
      expect.anything(),
    );
  });

  it("says of which defenses PGD alone overstates what is left", async () => {
    const { notes } = await madeUpResult(table3(), (question, cell) =>
      cell.startsWith("sap") && columnOf(question) === "adaptive" ? 0.2 : 0.5,
    );
    const overstated = notes.filter((note) => note.endsWith("overstated."));
    expect(overstated).toEqual(["SAP: PGD leaves 30.0 points more than the strongest attack: overstated."]);
  });

  it("has rows of purifiers where their parts are given, and refuses them without", async () => {
    const parts = { density: "runs/density", denoiser: "runs/denoiser" };
    const cells = table3(parts).cells("cpu").slice(-2);
    expect(cells.map(({ config: { defenses, method } }) => `${defenses} ${method.name}`)).toEqual([
      "pixel-defend(density=runs/density, epsilon=98/255) standard",
      "guided-denoiser(denoiser=runs/denoiser) standard",
    ]);
    for (const { questions } of cells) {
      const [, plain, cw, adaptive] = questions.map(({ attack }) => String(attack));
      for (const published of [plain, cw]) {
        expect(published).toMatch(/^backward\(.*through=unpurified, forward=surrogate\)$/);
      }
      expect(adaptive).toMatch(/^pgd/);
    }
    for (const [row, part] of [
      ["pixel-defend", "density"],
      ["guided-denoiser", "denoiser"],
    ] as const) {
      expect(() => table3({ rows: [row] }).cells("cpu")).toThrow(
        `row ${row} needs a ${part}: give ${part}=FOLDER of sqa ${part}`,
      );
    }
    const color = table3({ ...parts, data: "cifar10", rows: ["pixel-defend"] });
    expect(String(color.cells("cpu")[0]!.config.defenses)).toBe("pixel-defend(density=runs/density)");
    const [row] = rowsOf((await madeUpResult(color, () => 0.4)).data);
    expect(row!.paper).toEqual({ adaptive: 9 });
  });

  it("has a column of C&W in l2 over draws when asked", () => {
    const keys = (options: Parameters<typeof table3>[0]) =>
      table3(options).cells("cpu")[0]!.questions.map(columnOf);
    expect(keys({})).toEqual(["clean", "pgd", "cw", "adaptive", "autoattack", "audit"]);
    expect(keys({ minimumNorm: true }).at(-1)).toBe("cw-l2");
    const [question] = table3({ minimumNorm: true }).cells("cpu").at(-1)!.questions.slice(-1);
    expect(String(question!.attack)).toMatch(/^within\(expectation\(cw-l2.*at=radius\)$/);
    expect(keys({ minimumNorm: true }).at(-2)).toBe("pgd-l2");
  });

  it("refuses images without a radius", () => {
    const images = { images: new Uint8Array(2 * 784), labels: [0, 1] };
    const own = imagesOf({ ...images, test: images, shape: [1, 28, 28], classes: ["a", "b"], name: "own" });
    expect(() => table3({ data: own }).cells("cpu")).toThrow(/own has no radius; take mnist or cifar10/);
  });
});
