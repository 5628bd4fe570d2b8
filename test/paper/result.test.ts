import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkEarlier, figure1, TableResult, table1, table3 } from "../../src/paper/index.js";
import { leaveTemporary } from "../base/left-file.js";
import { madeUpFound, madeUpResult } from "./made-up.js";

const small = { model: ["small" as const], seeds: 1, epochs: 20 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqa-results-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the result of a table", () => {
  it("is written as JSON and Markdown, and read back from its JSON", async () => {
    const result = await madeUpResult(table1({ ...small, preset: "mnist-short" }), () => 0.5);
    mkdirSync(join(folder, "new"));
    leaveTemporary(join(folder, "new"), "table1-mnist-short.md");
    const files = await result.write(join(folder, "new"));
    expect(readdirSync(join(folder, "new"))).toEqual(["table1-mnist-short.json", "table1-mnist-short.md"]);
    expect(files).toEqual([
      join(folder, "new/table1-mnist-short.json"),
      join(folder, "new/table1-mnist-short.md"),
    ]);
    const json = JSON.parse(readFileSync(files[0]!, "utf8"));
    expect(json.table).toBe("table1(seeds=1, epochs=20, preset=mnist-short, model=[small()])");
    const again = TableResult.read(json, files[0]!);
    expect(again.data).toEqual(result.data);
    expect(again.markdown()).toBe(readFileSync(files[1]!, "utf8"));
    expect(again.markdown()).toMatch(/^# Table 1: accuracy on MNIST under white-box attacks\n\n\| model/);
  });

  it("keeps rows of an earlier file that were not measured again, in their order", async () => {
    await (await madeUpResult(table1({ seeds: 1 }), () => 0.5)).write(folder);
    await (await madeUpResult(table1({ ...small, model: ["large"] }), () => 0.7)).write(folder);
    const files = await (await madeUpResult(table1({ ...small, precision: "bfloat16" }), () => 0.9)).write(
      folder,
    );
    const { rows } = JSON.parse(readFileSync(files[0]!, "utf8"));
    const shown = rows.map(({ key, measured }: { key: string; measured: { clean: { mean: number } } }) => [
      key,
      measured.clean.mean,
    ]);
    expect(shown).toEqual([
      ["small-full", 50],
      ["small-sqa", 50],
      ["large-full", 70],
      ["large-sqa", 70],
      ["small-full-bfloat16", 90],
      ["small-sqa-bfloat16", 90],
    ]);
    const text = readFileSync(files[1]!, "utf8");
    expect(text).toContain(
      "Shortened: the paper trains 100 epochs; here 20 epochs (LARGE, full precision; LARGE, SQA; SMALL",
    );
    expect(text).toContain(
      "Training of SMALL, full precision; SMALL, SQA: fgsm at 0.3, weight 0.5 on clean images, 100 epochs",
    );
  });

  it("keeps no rows that were made by other options than its sentences tell", async () => {
    const made = (options: Parameters<typeof table3>[0]) =>
      madeUpResult(table3({ rows: ["none", "sqa"], ...options }), () => 0.5);
    await (await made({ steps: 20 })).write(folder);
    const other = table3({ rows: ["sap"], steps: 10 });
    const problem = "table3.json: its rows were made with steps 20, not 10; give another folder, or --force";
    expect(() => checkEarlier(other, folder)).toThrow(problem);
    await expect((await madeUpResult(other, () => 0.5)).write(folder)).rejects.toThrow(problem);
    checkEarlier(table3({ rows: ["sap"], steps: 20, seeds: 3 }), folder);
  });

  it("names an earlier file that is damaged, or holds another table", async () => {
    const result = await madeUpResult(table1(small), () => 0.5);
    const file = join(folder, "table1.json");
    writeFileSync(file, '{ "table": "table1", "rows": [{ "key": 1 }] }');
    await expect(result.write(folder)).rejects.toThrow(
      /table1\.json: rows\.0\.key: [^\n]*; give another folder, or --force to replace the file$/,
    );
    writeFileSync(file, '{ "table": "table2", "rows": [] }');
    await expect(result.write(folder)).rejects.toThrow(
      `${file}: it holds the table table2; give another folder`,
    );
    writeFileSync(file, "no JSON");
    await expect(result.write(folder)).rejects.toThrow(`${file}: `);
    expect(readdirSync(folder)).toEqual(["table1.json"]);
    await result.write(folder, { replace: true });
    expect(JSON.parse(readFileSync(file, "utf8")).rows).toHaveLength(2);
  });

  it.each(["md", "svg", "png", "json"])(
    "replaces no %s of others but where it is asked to",
    async (ending) => {
      const result = await madeUpResult(figure1({ epochs: 1 }), () => 0.5);
      const file = join(folder, `figure1.${ending}`);
      writeFileSync(file, "the user's own");
      for (const refused of [
        async () => checkEarlier(figure1({ epochs: 1 }), folder),
        () => result.write(folder),
      ]) {
        await expect(refused()).rejects.toThrow(/figure1\.\w+\b.*give another folder, or --force to replace/);
      }
      expect([readdirSync(folder), readFileSync(file, "utf8")]).toEqual([
        [`figure1.${ending}`],
        "the user's own",
      ]);
      checkEarlier(figure1({ epochs: 1 }), folder, { replace: true });
      const files = await result.write(folder, { replace: true });
      expect(files).toHaveLength(3);
      // Now they are of an earlier table.
      await result.write(folder);
    },
  );

  it.each([
    [{}],
    [{ table: 1 }],
    ["table1"],
    [{ table: "table9", rows: [] }],
    [{ table: "table1" }],
    [{ table: "table1", rows: [] }],
  ])("refuses %j, which is no result", (json) => {
    expect(() => TableResult.read(json, "x.json")).toThrow(/^x\.json: /);
  });

  it("shows a terminal all its figures in any width", async () => {
    const result = await madeUpResult(table1(small), () => 0.1234);
    for (const width of [60, 80, 120, 300]) {
      const lines = result.text({ width }).split("\n");
      expect(Math.max(...lines.map(({ length }) => length)), String(width)).toBeLessThanOrEqual(width);
      // Seven columns in full precision and eight with SQA.
      expect(lines.join("\n").match(/12\.34/g)).toHaveLength(15);
    }
    expect(result.text()).toContain("SMALL, full precision  paper ");
  });

  it("shows what is whole of a table that is not finished", async () => {
    const { table } = await madeUpResult(table1(small), () => 0.5);
    const steps = table.gather(madeUpFound(table, () => 0.5, { missing: ["small-sqa-seed0"] }));
    const step = await steps.next();
    expect(step.done).toBe(true);
    const text = new TableResult(table, step.value as object, { complete: false }).text();
    expect(text).toContain("SMALL, full precision");
    expect(text).not.toContain("SQA");
    const none = await table
      .gather(madeUpFound(table, () => 0.5, { missing: ["small-full-seed0", "small-sqa-seed0"] }))
      .next();
    expect(none).toEqual({ done: true, value: undefined });
  });

  it("of a figure is written as JSON, SVG and PNG, and is replaced as a whole", async () => {
    await (await madeUpResult(figure1({ epochs: 1 }), () => 0.5)).write(folder);
    const files = await (await madeUpResult(figure1({ epochs: 2 }), () => 0.5)).write(folder);
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      "figure1.json",
      "figure1.svg",
      "figure1.png",
    ]);
    expect(readFileSync(files[1]!, "utf8")).toContain("2 epochs on clean images");
    expect([...readFileSync(files[2]!).subarray(1, 4)]).toEqual(
      [..."PNG"].map((letter) => letter.charCodeAt(0)),
    );
    const again = TableResult.read(JSON.parse(readFileSync(files[0]!, "utf8")), files[0]!);
    expect(again.text()).toMatch(/^Figure 1: accuracy under FGSM/);
  });
});
