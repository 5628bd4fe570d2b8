import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setThreads, threads } from "../../src/engine/index.js";
import { type Cell, type ExperimentEvent, runCells, runCellsAtOnce } from "../../src/paper/index.js";
import { RunFolder, trainConfig } from "../../src/training/index.js";

let runs: string;
let threadsBefore: number;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "sqa-at-once-"));
  threadsBefore = threads();
});
afterEach(() => {
  rmSync(runs, { recursive: true, force: true });
  setThreads(threadsBefore);
});

function cellOf(seed: number, epochs = 1): Cell {
  const config = { sqa: {}, limit: 64, batchSize: 32, probeImages: 8, probes: ["fgsm(epsilon=0.1)"] };
  return {
    name: `tiny-seed${seed}`,
    config: trainConfig({ ...config, epochs, seed }),
    evaluations: [{ attacks: ["fgsm(epsilon=0.1)"], limit: 16, draws: 2, seed: 0, transferFromTwin: false }],
  };
}

async function collect(events: AsyncIterable<ExperimentEvent>): Promise<ExperimentEvent[]> {
  const all: ExperimentEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const outcomesOf = (events: readonly ExperimentEvent[]) =>
  events.flatMap((event) => (event.type === "outcome" ? [event.outcome] : []));

// Each process loads libtorch and compiles the sources anew.
describe("cells at once", { timeout: 120_000 }, () => {
  it("gives the outcomes that one process gives, in the cells' order", async () => {
    const cells = [cellOf(0, 3), cellOf(1), cellOf(2)];
    const apart = await collect(runCellsAtOnce(cells, { runs, jobs: 2, threads: 1 }));
    expect(apart.slice(-3).map(({ type }) => type)).toEqual(["outcome", "outcome", "outcome"]);
    expect(apart.filter((event) => event.type === "train" && event.event.type === "step")).toHaveLength(10);
    setThreads(1);
    const other = mkdtempSync(join(tmpdir(), "sqa-alone-"));
    const alone = await collect(runCells(cells, { runs: other, threads: 1 }));
    rmSync(other, { recursive: true });
    const accuracies = (events: readonly ExperimentEvent[]) =>
      outcomesOf(events).map(({ cell, training, evaluations }) => ({
        cell,
        loss: training.last.loss,
        clean: evaluations.map(({ clean }) => clean),
        attacked: evaluations.map(({ attacks }) => attacks.map(({ robustAccuracy }) => robustAccuracy)),
      }));
    expect(accuracies(apart)).toEqual(accuracies(alone));
  });

  it("stops every cell when it is aborted, with a checkpoint to go on from", async () => {
    const cells = [cellOf(0, 500), cellOf(1, 500)];
    const abort = new AbortController();
    const begun = new Set<string>();
    const seen: ExperimentEvent[] = [];
    for await (const event of runCellsAtOnce(cells, { runs, jobs: 2, threads: 1, signal: abort.signal })) {
      seen.push(event);
      if (event.type === "train" && event.event.type === "step") begun.add(event.cell);
      if (begun.size === 2) abort.abort();
    }
    expect(outcomesOf(seen)).toEqual([]);
    for (const { config } of cells) {
      expect(existsSync(RunFolder.for(config, runs).file("checkpoint.safetensors"))).toBe(true);
      expect(existsSync(RunFolder.for(config, runs).file("lock"))).toBe(false);
    }
  });

  it("ends early when it is aborted within an evaluation, as it does within training", async () => {
    const attacks = Array.from({ length: 300 }, (_, i) => `fgsm(epsilon=${(i + 1) / 1000})`);
    const cells = [cellOf(0), cellOf(1)].map((cell) => ({
      ...cell,
      evaluations: cell.evaluations.map((plan) => ({ ...plan, attacks })),
    }));
    const abort = new AbortController();
    const seen: ExperimentEvent[] = [];
    for await (const event of runCellsAtOnce(cells, { runs, jobs: 2, threads: 1, signal: abort.signal })) {
      seen.push(event);
      if (event.type === "evaluate") abort.abort();
    }
    expect(abort.signal.aborted).toBe(true);
    expect(outcomesOf(seen)).toEqual([]);
  });

  it("does not wait for the batch under attack when it is aborted", async () => {
    // Minutes of steps.
    const attacks = ["pgd(epsilon=0.1, steps=1000000)"];
    const cells = [cellOf(0), cellOf(1)].map((cell) => ({
      ...cell,
      evaluations: cell.evaluations.map((plan) => ({ ...plan, attacks })),
    }));
    const abort = new AbortController();
    const attacked = new Set<string>();
    let aborted = 0;
    for await (const { type, ...rest } of runCellsAtOnce(cells, { runs, jobs: 2, threads: 1, signal: abort.signal })) {
      if (type !== "evaluate" || !("event" in rest) || rest.event.type !== "progress") continue;
      if (rest.event.attack.startsWith("pgd")) attacked.add(rest.cell);
      if (attacked.size < 2 || abort.signal.aborted) continue;
      // So that both are in the midst of it.
      await new Promise((done) => setTimeout(done, 500));
      aborted = performance.now();
      abort.abort();
    }
    expect(attacked.size).toBe(2);
    expect(performance.now() - aborted).toBeLessThan(20_000);
  });

  it("keeps what was trained when the process that waits for the cells is killed", async () => {
    const cells = [cellOf(0, 5000), cellOf(1, 5000)];
    const index = new URL("../../src/paper/index.ts", import.meta.url).pathname;
    const program = `
      import { runCellsAtOnce } from ${JSON.stringify(index)};
      const begun = new Set();
      for await (const { cell, event } of runCellsAtOnce(${JSON.stringify(cells)}, ${JSON.stringify({ runs, jobs: 2, threads: 1 })})) {
        if (event?.type === "step") begun.add(cell);
        if (begun.size === 2) process.kill(process.pid, "SIGKILL");
      }`;
    const { signal } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program]);
    expect(signal).toBe("SIGKILL");
    const folders = cells.map(({ config }) => RunFolder.for(config, runs));
    const checkpoints = () => folders.filter((folder) => existsSync(folder.file("checkpoint.safetensors")));
    await vi.waitFor(() => expect(checkpoints()).toHaveLength(2), { timeout: 30_000 });
  });

  it("tells what went wrong in a cell, and stops the others", async () => {
    const cells = [cellOf(0, 500), cellOf(1)];
    const broken = RunFolder.for(cells[1]!.config, runs);
    broken.make();
    writeFileSync(broken.file("checkpoint.safetensors"), "no checkpoint");
    await expect(collect(runCellsAtOnce(cells, { runs, jobs: 2, threads: 1 }))).rejects.toThrow(
      "checkpoint.safetensors",
    );
    expect(existsSync(RunFolder.for(cells[0]!.config, runs).file("lock"))).toBe(false);
  });

  it("refuses a wrong number of jobs, before anything is done", async () => {
    await expect(collect(runCellsAtOnce([cellOf(0)], { runs, jobs: 0 }))).rejects.toThrow(
      "jobs must be an integer >= 1, not 0",
    );
    expect(readdirSync(runs)).toEqual([]);
  });
});
