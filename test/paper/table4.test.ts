import { describe, expect, it, vi } from "vitest";
import { liveTensors } from "../../src/engine/index.js";
import { measureTable4, renderTable4, table4Notes, table4Rows, table4Setting } from "../../src/paper/index.js";
import { TrainingSession } from "../../src/training/index.js";

/** Times that obey the model: T = 0.1 s, 0.15 s with SQA. */
const exact = {
  standard: 0.1,
  "standard-sqa": 0.15,
  fgsm: 0.2,
  "fgsm-sqa": 0.3,
  "pgd-10": 1.1,
  "pgd-20": 2.1,
  "pgd-100": 10.1,
};

describe("table 4", () => {
  it("predicts what obeys the cost model", () => {
    const { rows, fitted } = table4Rows(exact);
    expect(fitted).toBeCloseTo(0.1, 12);
    for (const { key, measured, predicted } of rows) expect(predicted, key).toBeCloseTo(measured, 12);
  });

  it("shows predicted beside measured and the paper's, and says where the setting is reduced", () => {
    const gpu = { setting: table4Setting("cuda", "bfloat16"), ...table4Rows(exact), replayed: false };
    // The paper's PGD-10: 1.23 s against FGSM's 0.43.
    expect(renderTable4(gpu, "markdown")).toMatch(
      /PGD, 10 steps +\| +10 \| +1\.10 \| +1\.10 \| +5\.50 \| +1\.23 \| +2\.86 /,
    );
    expect(gpu.setting).toMatchObject({ network: "resnet34", batchSize: 128 });
    expect(table4Notes(gpu).join(" ")).not.toContain("A reduced setting");
    // 50,000 / 128 steps of 0.2 s.
    expect(table4Notes(gpu)[0]).toContain("the median of 5 turns of 16: resnet34 with batches of 128");
    expect(table4Notes(gpu)[0]).toContain("FGSM on 50000 images takes 78.1 s");
    const cpu = { setting: table4Setting("cpu", "float32"), ...table4Rows(exact), replayed: false };
    expect(table4Notes(cpu).join(" ")).toContain("A reduced setting: the paper times ResNet-34");
  });

  it("times every method's steps in turn, and leaves nothing behind", async () => {
    const before = liveTensors().tensors;
    const setting = {
      network: "small",
      batchSize: 2,
      rounds: 1,
      stepsPerRound: 2,
      device: "cpu",
      precision: "float32",
    } as const;
    const steps = vi.spyOn(TrainingSession.prototype, "step");
    let turns = 0;
    for await (const event of measureTable4(setting)) {
      if (event.type === "progress") turns++;
      else for (const { measured, key } of event.table.rows) expect(measured, key).toBeGreaterThan(0);
    }
    expect(turns).toBe(14);
    // Two turns of two steps for each of seven methods, none twice.
    const taken = steps.mock.calls.map(([step]) => step);
    expect(taken.sort()).toEqual([0, 1, 2, 3].flatMap((step) => new Array(7).fill(step)));
    steps.mockRestore();
    expect(liveTensors().tensors).toBeLessThanOrEqual(before);
  });

  it("ends when it is aborted", async () => {
    const setting = {
      network: "small",
      batchSize: 1,
      rounds: 1,
      stepsPerRound: 2,
      device: "cpu",
      precision: "float32",
    } as const;
    const events = [];
    for await (const event of measureTable4(setting, AbortSignal.abort())) events.push(event);
    expect(events).toEqual([]);
  });
});
