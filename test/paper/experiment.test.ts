import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveTensors } from "../../src/engine/index.js";
import { type Cell, type ExperimentEvent, runCells } from "../../src/paper/index.js";
import { trainConfig } from "../../src/training/index.js";

let runs: string;
beforeAll(() => {
  runs = mkdtempSync(join(tmpdir(), "sqa-cells-"));
});
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const cell: Cell = {
  name: "tiny",
  config: trainConfig({ sqa: {}, limit: 64, epochs: 1, batchSize: 32, probeImages: 8, probes: ["fgsm(epsilon=0.1)"] }),
  evaluations: [
    { attacks: ["fgsm(epsilon=0.1)"], limit: 16, draws: 2, seed: 0, transferFromTwin: false },
    { attacks: ["fgsm(epsilon=0.1)"], limit: 16, draws: 2, seed: 0, transferFromTwin: true },
  ],
};

async function events(): Promise<ExperimentEvent[]> {
  const all: ExperimentEvent[] = [];
  for await (const event of runCells([cell], { runs })) all.push(event);
  return all;
}

describe("cells", () => {
  it("trains and evaluates what is missing, and nothing twice", async () => {
    const before = liveTensors().tensors;
    const first = await events();
    expect(first.some((event) => event.type === "train" && event.event.type === "step")).toBe(true);
    expect(first.filter((event) => event.type === "evaluate" && event.event.type === "end")).toHaveLength(2);
    const second = await events();
    expect(second.map((event) => event.type)).toEqual(["train", "outcome"]);
    expect(second.at(-1)).toEqual(first.at(-1));
    const folder = join(runs, readdirSync(runs)[0]!);
    expect(readdirSync(folder).filter((name) => name.startsWith("evaluation-"))).toHaveLength(2);
    const kept = join(folder, readdirSync(folder).find((name) => name.startsWith("evaluation-"))!);
    writeFileSync(kept, readFileSync(kept, "utf8").slice(0, 40));
    await expect(events()).rejects.toThrow(`${kept}: `);
    // Tensors that other tests dropped may be collected meanwhile.
    expect(liveTensors().tensors).toBeLessThanOrEqual(before);
  });

  it("stops when it is aborted, without an outcome", async () => {
    const other = { ...cell, config: trainConfig({ ...cell.config, seed: 1 }) };
    const abort = new AbortController();
    const seen: ExperimentEvent[] = [];
    for await (const event of runCells([other], { runs, signal: abort.signal })) {
      seen.push(event);
      if (event.type === "train" && event.event.type === "step") abort.abort();
    }
    expect(seen.some((event) => event.type === "outcome")).toBe(false);
    expect(seen.some((event) => event.type === "train" && event.event.type === "stopped")).toBe(true);
  });
});
