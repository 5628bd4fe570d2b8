import { describe, expect, it, vi } from "vitest";
import { runTable, type TableEvent, TableResult, table4 } from "../../src/paper/index.js";
import { costRows } from "../../src/paper/tables/table4.js";
import { TrainingSession } from "../../src/training/index.js";
import { liveCount } from "../live-count.js";

/** Times that obey the cost model: T = 0.1 s, 0.15 s with SQA. */
const exact = {
  standard: 0.1,
  "standard-sqa": 0.15,
  fgsm: 0.2,
  "fgsm-sqa": 0.3,
  "pgd-10": 1.1,
  "pgd-20": 2.1,
  "pgd-100": 10.1,
};

function resultOf(setting: object, device: string): TableResult {
  const versions = { libtorch: "2.13.0", cpuCapability: "AVX2", kernels: "AVX2", node: "v20" };
  const measuredOn = { ...versions, device, threads: 1 };
  const data = {
    setting: { precision: "bfloat16", ...setting },
    ...costRows(exact),
    replayed: false,
    measuredOn,
  };
  return TableResult.read({ table: "table4", ...data }, "table4.json");
}

const tiny = { model: "small", batchSize: 2, rounds: 1, stepsPerRound: 2 } as const;

describe("table 4", () => {
  it("predicts what obeys the cost model", () => {
    const { rows, fitted } = costRows(exact);
    expect(fitted).toBeCloseTo(0.1, 12);
    for (const { key, measured, predicted } of rows) expect(predicted, key).toBeCloseTo(measured, 12);
  });

  it("shows predicted beside measured and the paper's, and says where the setting is reduced", () => {
    const onGpu = resultOf({ model: "resnet34", batchSize: 128, rounds: 5, stepsPerRound: 16 }, "cuda");
    // The paper's PGD of 10, 20 and 100 steps: 1.23, 2.34 and 10.17 s against FGSM's 0.43.
    const text = onGpu.markdown();
    expect(text).toMatch(
      /PGD, 10 steps +\| +10 \| +1\.10 \| +1\.10 \| +1\.10 \| +5\.50 \| +1\.23 \| +2\.86 /,
    );
    expect(text).toMatch(
      /PGD, 100 steps +\| +100 \| +10\.1 \| +10\.1 \| +10\.1 \| +50\.50 \| +10\.17 \| +23\.65 /,
    );
    expect(text).not.toContain("A reduced setting");
    expect(text).toContain("the median of 5 turns of 16: resnet34 with batches of 128 on cuda, in bfloat16.");
    // 50,000 / 128 steps of 0.2 s.
    expect(text).toContain("FGSM on 50000 images takes 78.1 s.");
    expect(text).toContain("no graph was captured");
    const onCpu = resultOf({ model: "resnet18", batchSize: 8, rounds: 3, stepsPerRound: 1 }, "cpu");
    expect(onCpu.markdown()).toContain("A reduced setting: the paper times ResNet-34");
    expect(onCpu.markdown()).not.toContain("graph");
  });

  it("predicts by the measured pass of an attack, and tells what SQA adds to a pass", () => {
    // A pass of the attack takes 0.06 s where one forward and backward takes 0.1, and SQA adds 0.01 to each.
    const seconds = { ...exact, "standard-sqa": 0.11, fgsm: 0.16, "fgsm-sqa": 0.18, "pgd-10": 0.7 };
    const { rows, alpha, fitted } = costRows(seconds);
    const pgd10 = rows.find(({ key }) => key === "pgd-10")!;
    expect(pgd10.predicted).toBeCloseTo(1.1, 12);
    expect(pgd10.predictedByPass).toBeCloseTo(0.7, 12);
    expect(rows.find(({ key }) => key === "fgsm-sqa")!.predictedByPass).toBeCloseTo(0.18, 12);
    expect(alpha).toBeCloseTo(0.01, 12);
    expect(fitted).toBeGreaterThan(0.06);
    // The paper: 0.07 over the pass that its FGSM, PGD-10, 20 and 100 fit, (2 * 0.43 + 11 * 1.23 + 21 * 2.34 +
    // 101 * 10.17) / (4 + 121 + 441 + 10201) = 0.1013. Here: 0.05 over 0.1, and 4.5, 9.5 and 49.5 times 0.1.
    const text = resultOf({ model: "small", batchSize: 8, rounds: 3, stepsPerRound: 1 }, "cpu").markdown();
    expect(text).toContain("50 % of it (alpha; the paper's times, fitted alike, give 69 %).");
    expect(text).toContain("SQA adds 0.0500 s to a pass, 50 % of it");
    expect(text).toContain("over alpha: 9, 19, 99 for PGD of 10, 20 and 100 steps.");
  });

  it("times every method's steps in turn, and leaves nothing behind", async () => {
    const before = liveCount();
    const steps = vi.spyOn(TrainingSession.prototype, "step");
    const events: TableEvent[] = [];
    const work = runTable(table4, tiny);
    for await (const event of work) events.push(event);
    const { data } = await work;
    for (const { measured, key } of (data as ReturnType<typeof costRows>).rows) {
      expect(measured, key).toBeGreaterThan(0);
    }
    expect(events.filter(({ type }) => type === "progress").at(-1)).toMatchObject({ done: 14, total: 14 });
    // Two turns of two steps for each of seven methods, none twice.
    const taken = steps.mock.calls.map(([step]) => step);
    expect(taken.sort()).toEqual([0, 1, 2, 3].flatMap((step) => new Array(7).fill(step)));
    steps.mockRestore();
    expect(liveCount()).toBe(before);
  });

  it("ends when it is aborted", async () => {
    const events: TableEvent[] = [];
    const work = runTable("table4", tiny, { signal: AbortSignal.abort() });
    for await (const event of work) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["start"]);
    await expect(work).rejects.toThrow(/abort/i);
  });
});
