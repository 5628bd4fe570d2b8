import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { tables } from "../../src/paper/index.js";
import { captureOutput } from "./captured-output.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-paper-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  return { code: await main(words), out: captured.stdout.text, err: captured.stderr.text };
}

describe("sqa paper", () => {
  it("lists every table with its summary", async () => {
    const { code, out } = await sqa("paper", "--help");
    expect(code).toBe(0);
    for (const { name } of tables.definitions) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it("shows the options of a table, and of no other", async () => {
    const table1 = await sqa("paper", "table1", "--help");
    expect(table1.out).toContain("Usage: sqa paper table1");
    expect(table1.out).toContain("--full-seeds");
    expect(table1.out).not.toContain("--train-images");
    expect((await sqa("paper", "help", "table2")).out).toContain("--train-images");
  });

  it.each([
    [["paper"], "missing table: collapse, figure1, ", "see sqa paper --help"],
    [["paper", "tabel1"], 'unknown table "tabel1"; did you mean "table1"?', "see sqa paper --help"],
    [
      ["paper", "table1", "--iterations", "5"],
      "unknown option '--iterations'",
      "see sqa paper table1 --help",
    ],
    [["paper", "table1", "--model", "smal"], '"smal"; did you mean "small"?', "see sqa paper table1 --help"],
    [["paper", "table1", "--seeds", "0"], "--seeds cannot be 0", "see sqa paper table1 --help"],
    [
      ["paper", "table3", "--rows", "ensemble-adversarial"],
      "row ensemble-adversarial needs trained models",
      "see sqa paper table3 --help",
    ],
  ])("says what is wrong with %j", async (words, message, hint) => {
    const { code, out, err } = await sqa(...words);
    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd().endsWith(hint), err).toBe(true);
  });

  it("says of a folder of results that cannot be made, before anything runs", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const { code, err } = await sqa("paper", "table4", "--results", join(file, "results"));
    expect(code).toBe(64);
    expect(err).toContain(`--results ${join(file, "results")}: `);
  });

  it("says of the killed process of a run that the same command does the rest", async () => {
    const killer = join(folder, "killer.mjs");
    writeFileSync(killer, `if (process.send !== undefined) process.kill(process.pid, "SIGKILL");\n`);
    const given = ["paper", "table1", "--import", killer, "--seeds", "1", "--limit", "4", "--jobs", "2"];
    const places = ["--results", join(folder, "none"), "--runs", join(folder, "runs")];
    const process = new SqaProcess([...given, ...places]);
    expect(await process.ended(), process.stderr).toBe(75);
    // Both are killed; which of them is heard of first is chance.
    expect(process.stderr).toMatch(/the process of small-(full|sqa)-seed0 ended by SIGKILL/);
    expect(process.stderr).toContain("what is finished is kept: the same command does the rest");
  });

  it("makes a table that a module registers, and writes it", async () => {
    const module = join(folder, "parameters.mjs");
    const text = `import { z } from "sqa";
import { defineTable, tables } from "sqa/paper";
export const counts = defineTable("counts", {
  summary: "counts to a number",
  title: "Counts",
  options: z.strictObject({ to: z.int().default(3).describe("last number") }),
  data: z.object({ numbers: z.array(z.int()) }),
  gather: ({ to }) => ({ numbers: Array.from({ length: to }, (_, i) => i + 1) }),
  show: ({ numbers }) => ({ table: { lead: 0, columns: ["number"], rows: numbers.map((n) => [n]) }, notes: [] }),
});
tables.register(counts);
`;
    writeFileSync(module, text);
    const results = join(folder, "results");
    const process = new SqaProcess(["paper", "counts", "--import", module, "--results", results]);
    expect(await process.ended(), process.stderr).toBe(0);
    expect(process.stdout).toContain("Counts");
    expect(existsSync(join(results, "counts.md"))).toBe(true);
    const written = JSON.parse(readFileSync(join(results, "counts.json"), "utf8"));
    expect(written).toEqual({ table: "counts", numbers: [1, 2, 3] });
  });
});
