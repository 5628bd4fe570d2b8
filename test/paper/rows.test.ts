import { describe, expect, it } from "vitest";
import * as z from "zod";
import { fgsm, pgd } from "../../src/attacks/index.js";
import { mnist } from "../../src/datasets/index.js";
import { small } from "../../src/models/index.js";
import { type AccuracyData, clean, defineAccuracyTable, type Row } from "../../src/paper/index.js";
import { madeUpFound, madeUpResult } from "./made-up.js";

const parts = { summary: "a table", title: "A table", options: z.strictObject({}) };
const row = (key: string, given: Partial<Row> = {}): Row => ({
  key,
  title: key,
  train: { model: small(), data: mnist(), method: fgsm({ epsilon: 0.3 }), epochs: 1 },
  seeds: 1,
  ...given,
});

describe("rows of the same runs", () => {
  const adaptive = { key: "adaptive", title: "adaptive", attack: pgd({ steps: 5 }) };
  const table = defineAccuracyTable("same-runs", {
    ...parts,
    columns: [clean, adaptive],
    rows: () => [
      row("usual"),
      row("weak", { attacks: { adaptive: pgd({ steps: 1 }) } }),
      row("strong", { attacks: { adaptive: pgd({ steps: 50 }) } }),
      row("skipping", { skips: ["adaptive"] }),
    ],
  })();

  it("are trained once, and each has the answers to its own attacks", async () => {
    expect(table.cells("cpu").map(({ name }) => name)).toEqual(["usual-seed0"]);
    const { data } = await madeUpResult(table, ({ attack }) =>
      attack === undefined ? 0.9 : 1 / Number(attack.options.steps),
    );
    const found = (data as AccuracyData).rows.map(({ measured }) => measured.adaptive?.mean);
    expect(found).toEqual([20, 100, 2, undefined]);
  });
});

describe("the difference from the paper", () => {
  it.each([
    [0.5, "+0.00"],
    [0.499_97, "+0.00"],
    [0.4999, "−0.01"],
    [0.5001, "+0.01"],
  ])("of %s from 50 %% is shown as %s", async (share, text) => {
    const rows = () => [row("published", { paper: { clean: 50 } })];
    const table = defineAccuracyTable("published", { ...parts, columns: [clean], rows })();
    const result = await madeUpResult(table, () => share);
    expect(result.table.show(result.data).table!.rows.at(-1)).toEqual(["", "difference", text]);
  });
});

describe("the machine of a row", () => {
  it("is that which gave its answers, also where they are read on another", async () => {
    const table = defineAccuracyTable("kept", { ...parts, columns: [clean], rows: () => [row("kept")] })();
    const found = madeUpFound(table, () => 0.5);
    const machine = { ...found.machine, device: "cuda:0", model: "NVIDIA H200", libtorch: "2.12.0" };
    const outcomes = new Map(
      [...found.outcomes].map(([name, outcome]) => {
        const answers = { clean: { ...outcome.answers.clean!, machine } };
        return [name, { ...outcome, answers }];
      }),
    );
    const { value } = await table.gather({ ...found, outcomes }).next();
    expect((value as AccuracyData).rows[0]!.measuredOn).toEqual(machine);
    expect(table.show(value as AccuracyData).notes.join(" ")).toContain("Measured on NVIDIA H200");
  });
});
