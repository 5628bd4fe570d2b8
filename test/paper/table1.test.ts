import { describe, expect, it } from "vitest";
import { type AccuracyData, expected, table1 } from "../../src/paper/index.js";
import { columnOf, madeUpResult } from "./made-up.js";

const small = { model: ["small" as const], epochs: 20, seeds: 3 };

const rowsOf = (data: object) => (data as AccuracyData).rows;

describe("table 1", () => {
  it("trains both networks of the paper in full precision and with SQA, each with its seeds", () => {
    const cells = table1({ seeds: 2, fullSeeds: 1 }).cells("cpu");
    expect(cells.map(({ name }) => name)).toEqual([
      "small-full-seed0",
      "small-sqa-seed0",
      "small-sqa-seed1",
      "large-full-seed0",
      "large-sqa-seed0",
      "large-sqa-seed1",
    ]);
    expect(cells.map(({ config }) => [String(config.model), config.defenses.join(), config.seed])).toEqual([
      ["small", "", 0],
      ["small", "sqa", 0],
      ["small", "sqa", 1],
      ["large", "", 0],
      ["large", "sqa", 0],
      ["large", "sqa", 1],
    ]);
    const { defenses: _, ...full } = cells[0]!.config;
    const { defenses: __, ...quantized } = cells[1]!.config;
    expect(JSON.stringify(full)).toBe(JSON.stringify(quantized));
  });

  it("stretches the paper's schedule with the epochs, and takes the short recipe as it is", () => {
    const scheduleOf = (options: Parameters<typeof table1>[0]) =>
      String(table1(options).cells("cpu")[0]!.config.schedule);
    expect(scheduleOf(small)).toContain("epochs=6");
    expect(scheduleOf({})).toBe("step");
    const { config } = table1({ preset: "mnist-short" }).cells("cpu")[0]!;
    expect([String(config.schedule), config.cleanWeight, config.epochs]).toEqual([
      "one-cycle(peak=0.05)",
      0,
      4,
    ]);
  });

  it("attacks the noise-free model in SQA's place, and asks no network in full precision for that", () => {
    const [full, sqa] = table1({ ...small, seeds: 1, limit: 500 }).cells("cpu");
    expect(full!.questions.map(({ surrogate }) => surrogate).filter((name) => name !== undefined)).toEqual(
      [],
    );
    const onSurrogate = sqa!.questions.filter(({ surrogate }) => surrogate === "noise-free");
    expect(onSurrogate.map(({ key, limit }) => [key, limit])).toEqual([["noise-free-0.3", 500]]);
  });

  it("asks for all test images, and for 1000 under strong attacks where nothing else is said", () => {
    const limitsOf = (options: object) =>
      new Set(
        table1(options)
          .cells("cpu")[1]!
          .questions.map(({ limit }) => limit),
      );
    expect([...limitsOf({})]).toEqual([null, 1000]);
    expect([...limitsOf({ limit: 200 })]).toEqual([200]);
    expect([...limitsOf({ limit: 200, attackLimit: 50 })]).toEqual([200, 50]);
    expect(() => table1({ limit: 200, attackLimit: 300 })).toThrow(
      'option "attackLimit" cannot be 300: at most limit, 200',
    );
  });

  it("finds what was measured by column, whatever the order of answers", async () => {
    const shares: Record<string, number> = {
      clean: 0.99,
      "fgsm-0.2": 0.95,
      "cw-0.3": 0.7,
      "noise-free-0.3": 0.2,
    };
    const result = await madeUpResult(table1(small), (question, cell) => {
      const seed = Number(cell.at(-1));
      return (shares[columnOf(question)] ?? 0.5) - seed / 100;
    });
    const [full, sqa] = rowsOf(result.data);
    expect(sqa!.measured["cw-0.3"]!.mean).toBeCloseTo(69, 10);
    expect(sqa!.measured["cw-0.3"]!.deviation).toBeCloseTo(1, 10);
    expect(sqa!.measured["noise-free-0.3"]!.values.map(Math.round)).toEqual([20, 19, 18]);
    expect(full!.measured["noise-free-0.3"]).toBeUndefined();
    expect([full!.key, full!.seeds, sqa!.key]).toEqual(["small-full", [0, 1, 2], "small-sqa"]);
  });

  it("prints the paper's numbers, the measured ones and the difference, and says what was shortened", async () => {
    const result = await madeUpResult(table1(small), () => 0.9761);
    const text = result.markdown();
    expect(text).toContain("| SMALL, SQA            | paper                        | 96.61 ± 0.28 |");
    // 97.61 measured against the paper's 96.61, and against 7.43 under PGD.
    expect(text).toMatch(/difference +\| +\+1\.00 .*\+90\.18/);
    expect(text).toContain("measured, 20 epochs, 3 seeds");
    expect(text).toContain("Shortened: the paper trains 100 epochs; here 20 epochs.");
    expect((await madeUpResult(table1({ seeds: 1 }), () => 0.5)).markdown()).not.toContain("Shortened");
  });

  it("sets rows in bfloat16 beside those in float32, and says what was trained in", async () => {
    const result = await madeUpResult(table1({ ...small, precision: "bfloat16" }), () => 0.5);
    expect(rowsOf(result.data).map(({ key }) => key)).toEqual(["small-full-bfloat16", "small-sqa-bfloat16"]);
    expect(result.markdown()).toContain("measured, 20 epochs, 3 seeds, bfloat16");
    expect(result.notes.join(" ")).toContain("Trained in bfloat16; accuracies are measured in float32.");
  });

  it("has the paper's numbers for its own data set alone", async () => {
    const result = await madeUpResult(table1({ ...small, data: "fashion-mnist" }), () => 0.5);
    expect(rowsOf(result.data).map(({ paper }) => paper)).toEqual([undefined, undefined]);
    expect(result.title).toBe("Table 1: accuracy on fashion-mnist under white-box attacks");
  });

  it("has a number of the paper for each of the paper's columns and networks", () => {
    const columns = ["clean", "cw-0.2", "cw-0.3", "fgsm-0.2", "fgsm-0.3", "pgd-0.2"];
    const rows = Object.values(expected.table1.rows);
    expect(rows.map((row) => Object.keys(row).sort())).toEqual(new Array(4).fill(columns));
  });
});
