import { describe, expect, it } from "vitest";
import { type AccuracyData, expected, table2 } from "../../src/paper/index.js";
import { columnOf, madeUpResult } from "./made-up.js";

const keysOf = (questions: readonly { readonly key: string }[]) => questions.map(({ key }) => key);

describe("table 2", () => {
  it("is the paper's on a GPU, and a small relative on a CPU", () => {
    const onGpu = table2().cells("cuda");
    expect(onGpu.map(({ name }) => name).filter((name) => name.endsWith("0"))).toEqual([
      "resnet34-full-seed0",
      "resnet34-sqa-seed0",
      "resnet101-full-seed0",
      "resnet101-sqa-seed0",
    ]);
    expect(onGpu).toHaveLength(2 * 2 * 3);
    expect(new Set(onGpu.map(({ config }) => config.epochs))).toEqual(new Set([350]));
    expect(new Set(onGpu[0]!.questions.map(({ limit }) => limit))).toEqual(new Set([null, 1000]));
    const onCpu = table2().cells("cpu");
    expect(onCpu.map(({ name, config }) => [name, config.epochs, config.limit])).toEqual([
      ["resnet18(width=16)-full-seed0", 15, null],
      ["resnet18(width=16)-sqa-seed0", 15, null],
    ]);
    expect(new Set(onCpu[0]!.questions.map(({ limit }) => limit))).toEqual(new Set([1000, 200]));
  });

  it("trains a run with SQA once, and asks it with its noise and without", () => {
    const [full, sqa] = table2({ model: ["resnet34"], seeds: 1 }).cells("cuda");
    const paper = ["clean", "fgsm-4", "fgsm-8", "cw-4", "cw-8", "pgd-8"];
    expect(keysOf(full!.questions)).toEqual([...paper, "pgd-8-restarts"]);
    const withoutNoise = [...paper, "pgd-8-restarts"].map((key) => `noise-free ${key}`);
    expect(keysOf(sqa!.questions)).toEqual([
      ...paper,
      "pgd-8-restarts",
      "pgd-8-draws",
      "noise-free-8",
      ...withoutNoise,
    ]);
    for (const { key, noiseFree } of sqa!.questions) expect(noiseFree, key).toBe(withoutNoise.includes(key));
  });

  it("sets the noise-free model beside the other two, with its own accuracies", async () => {
    const result = await madeUpResult(table2({ model: ["resnet34"], seeds: 1 }), (question) => {
      if (question.noiseFree) return 0.3;
      return columnOf(question) === "pgd-8-draws" ? 0.2 : 0.4;
    });
    const { rows } = result.data as AccuracyData;
    const shown = rows.map(({ key, measured }) => [key, measured.clean!.mean, measured["pgd-8-draws"]?.mean]);
    expect(shown).toEqual([
      ["resnet34-full", 40, undefined],
      ["resnet34-sqa", 40, 20],
      ["resnet34-sqa-noise-free", 30, undefined],
    ]);
    expect(rows[2]).toMatchObject({ title: "ResNet-34, SQA in training, noise-free", noiseFree: true });
    expect(rows[2]!.paper).toBeUndefined();
    // The paper's SQA ResNet-34 under PGD: 48.32.
    expect(result.markdown()).toMatch(/ResNet-34, SQA +\| paper .*48\.32 ± 0\.19/);
  });

  it("says that other networks and shorter runs are no reproduction", async () => {
    const reduced = await madeUpResult(table2({ trainImages: 320, epochs: 1 }), () => 0.5);
    const notes = reduced.notes.join(" ");
    expect(notes).toContain("A reduced setting, no reproduction: the paper trains ResNet-34 and ResNet-101.");
    expect(notes).toContain("Shortened: the paper trains 350 epochs; here 1 epoch.");
    expect(notes).toContain("on the first 320 training images");
    const whole = await madeUpResult(table2(), () => 0.5, { device: "cuda" });
    expect(whole.notes.join(" ")).not.toMatch(/reduced|Shortened/);
    expect(whole.notes.join(" ")).toContain(
      "Measured on cuda, where convolutions in float32 are computed in TF32.",
    );
  });

  it("drops the rate every 150 of 350 epochs, and at the same shares of a shorter run", () => {
    const rates = (epochs: number, at: readonly number[]) => {
      const { schedule } = table2({ epochs, model: ["resnet34"], seeds: 1 }).cells("cuda")[0]!.config;
      const length = { epochs, stepsPerEpoch: 10 };
      return at.map((epoch) => schedule.rates(length)(Math.round(epoch * 10)));
    };
    const drops = [0.1, 0.1, 0.01, 0.01, 0.001, 0.001].map((rate) => expect.closeTo(rate, 9));
    expect(rates(350, [0, 149, 150, 299, 300, 349])).toEqual(drops);
    expect(rates(7, [0, 2.9, 3, 5.9, 6, 6.9])).toEqual(drops);
  });

  it("attacks validation images no more than there are training images", () => {
    const { config } = table2({ trainImages: 64 }).cells("cpu")[0]!;
    expect([config.limit, config.validationImages]).toEqual([64, 64]);
  });

  it("has a number of the paper for each of the paper's columns and networks", () => {
    const columns = ["clean", "cw-4", "cw-8", "fgsm-4", "fgsm-8", "pgd-8"];
    const rows = Object.values(expected.table2.rows);
    expect(rows.map((row) => Object.keys(row).sort())).toEqual(new Array(4).fill(columns));
  });
});
