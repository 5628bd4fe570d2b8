import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineAttack, fgsm, pgd } from "../../../src/attacks/index.js";
import { setThreads, threads } from "../../../src/engine/index.js";
import { modelOf, small } from "../../../src/models/index.js";
import { runCellsAtOnce } from "../../../src/paper/runner/cells-at-once.js";
import { runCells } from "../../../src/paper/runner/run-cells.js";
import { RunFolder, trainConfig } from "../../../src/training/index.js";
import { followed, tinyCell } from "./cells.js";

const never = new AbortController().signal;
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

const atOnce = () => ({ runs, device: "cpu", jobs: 2, threads: 1 });

// Each process loads libtorch and compiles the sources anew.
describe("cells at once", { timeout: 120_000 }, () => {
  it("gives the outcomes that one process gives, in the cells' order", async () => {
    const cells = [tinyCell(0, 3), tinyCell(1), tinyCell(2)];
    const apart = await followed(runCellsAtOnce(cells, atOnce(), never));
    const steps = apart.events.filter((event) => event.type === "train" && event.event.type === "step");
    expect(steps).toHaveLength(10);
    setThreads(1);
    const other = mkdtempSync(join(tmpdir(), "sqa-alone-"));
    const alone = await followed(runCells(cells, { runs: other, device: "cpu", threads: 1 }, never));
    rmSync(other, { recursive: true });
    const found = ({ outcomes }: typeof apart) =>
      outcomes!.map(({ cell, training, answers }) => ({ cell, loss: training.last.loss, answers }));
    expect(found(apart)).toEqual(found(alone));
    expect(found(apart).map(({ cell }) => cell)).toEqual(["tiny-seed0", "tiny-seed1", "tiny-seed2"]);
  });

  it("stops every cell when it is aborted, with a checkpoint to go on from", async () => {
    const cells = [tinyCell(0, 500), tinyCell(1, 500)];
    const abort = new AbortController();
    const begun = new Set<string>();
    const { events, outcomes } = await followed(runCellsAtOnce(cells, atOnce(), abort.signal), (event) => {
      if (event.type === "train" && event.event.type === "step") begun.add(event.cell);
      if (begun.size === 2) abort.abort();
    });
    expect([outcomes, events.filter(({ type }) => type === "outcome")]).toEqual([undefined, []]);
    for (const { config } of cells) {
      expect(existsSync(RunFolder.for(config, runs).checkpoint)).toBe(true);
      expect(existsSync(RunFolder.for(config, runs).file("lock"))).toBe(false);
    }
  });

  it("does not wait for the batch under attack when it is aborted", async () => {
    // Minutes of steps.
    const attack = pgd({ epsilon: 0.1, steps: 1_000_000 });
    const cells = [0, 1].map((seed) => tinyCell(seed, 1, [{ key: "pgd", attack, limit: 16 }]));
    const abort = new AbortController();
    const attacked = new Set<string>();
    let aborted = 0;
    const { outcomes } = await followed(
      runCellsAtOnce(cells, atOnce(), abort.signal),
      async ({ type, ...rest }) => {
        if (type !== "evaluate" || !("event" in rest) || rest.event.type !== "progress") return;
        if (String(rest.event.attack).startsWith("pgd")) attacked.add(rest.cell);
        if (attacked.size < 2 || abort.signal.aborted) return;
        // So that both are in the midst of it.
        await new Promise((done) => setTimeout(done, 500));
        aborted = performance.now();
        abort.abort();
      },
    );
    expect(attacked.size).toBe(2);
    expect(outcomes).toBeUndefined();
    expect(performance.now() - aborted).toBeLessThan(20_000);
  });

  it("keeps what was trained when the process that waits for the cells is killed", async () => {
    const source = (path: string) =>
      pathToFileURL(new URL(`../../../src/${path}`, import.meta.url).pathname).href;
    const cells = pathToFileURL(new URL("cells.ts", import.meta.url).pathname).href;
    const program = `
      import { runCellsAtOnce } from ${JSON.stringify(source("paper/runner/cells-at-once.ts"))};
      import { tinyCell } from ${JSON.stringify(cells)};
      const begun = new Set();
      const cells = [tinyCell(0, 5000), tinyCell(1, 5000)];
      const options = ${JSON.stringify(atOnce())};
      for await (const { cell, event } of runCellsAtOnce(cells, options, new AbortController().signal)) {
        if (event?.type === "step") begun.add(cell);
        if (begun.size === 2) process.kill(process.pid, "SIGKILL");
      }`;
    const { signal } = spawnSync(process.execPath, [
      "--import",
      "tsx",
      "--input-type=module",
      "--eval",
      program,
    ]);
    expect(signal).toBe("SIGKILL");
    const folders = [tinyCell(0, 5000), tinyCell(1, 5000)].map(({ config }) => RunFolder.for(config, runs));
    const checkpoints = () => folders.filter(({ checkpoint }) => existsSync(checkpoint));
    await vi.waitFor(() => expect(checkpoints()).toHaveLength(2), { timeout: 30_000 });
  });

  it("tells what went wrong in a cell, and stops the others", async () => {
    const cells = [tinyCell(0, 500), tinyCell(1)];
    const broken = RunFolder.for(cells[1]!.config, runs);
    broken.make();
    writeFileSync(broken.checkpoint, "no checkpoint");
    await expect(followed(runCellsAtOnce(cells, atOnce(), never))).rejects.toThrow("checkpoint.safetensors");
    expect(existsSync(RunFolder.for(cells[0]!.config, runs).file("lock"))).toBe(false);
  });

  it("loads modules of the user's own first, so that what they register is known", async () => {
    const index = pathToFileURL(new URL("../../../src/attacks/index.ts", import.meta.url).pathname).href;
    const plugin = join(runs, "plugin.mjs");
    writeFileSync(
      plugin,
      `import { attacks, defineAttack, fgsm } from ${JSON.stringify(index)};
       const { options, make } = fgsm;
       const traits = (given) => make(given).traits;
       const run = (given, ...rest) => make(given).search(...rest);
       attacks.register(defineAttack("mine", { summary: "FGSM by another name", options, traits, run }));`,
    );
    const { options, make } = fgsm;
    const mine = defineAttack("mine", {
      summary: "FGSM by another name",
      options,
      traits: (given) => make(given).traits,
      run: (given, ...rest) => make(given).search(...rest),
    });
    const attack = mine({ epsilon: 0.1 });
    const cells = [0, 1].map((seed) => tinyCell(seed, 1, [{ key: "mine", attack, limit: 4 }]));
    const imports = [plugin];
    const { outcomes } = await followed(runCellsAtOnce(cells, { ...atOnce(), imports }, never));
    expect(outcomes!.map(({ answers }) => answers.mine!.images)).toEqual([4, 4]);
    const other = mkdtempSync(join(tmpdir(), "sqa-plugin-"));
    const without = followed(runCellsAtOnce(cells, { ...atOnce(), runs: other }, never));
    await expect(without).rejects.toThrow('unknown attack "mine"');
    rmSync(other, { recursive: true });
  });

  it("does cells of a model of the user's own in this process", async () => {
    const layers = (seed: number) => small().build({ seed }).module;
    const model = modelOf(layers, { name: "own", inputShape: [1, 28, 28], classes: 10 });
    const cells = [0, 1].map((seed) => {
      const { name, config, questions } = tinyCell(seed, 1, [{ key: "clean", limit: 4 }]);
      const parts = { ...config, model, defenses: [], method: String(config.method), data: "mnist" } as const;
      return { name, config: trainConfig(parts as Parameters<typeof trainConfig>[0]), questions };
    });
    const { outcomes } = await followed(runCellsAtOnce(cells, atOnce(), never));
    expect(outcomes!.map(({ cell, answers }) => [cell, answers.clean!.images])).toEqual([
      ["tiny-seed0", 4],
      ["tiny-seed1", 4],
    ]);
  });

  it("refuses a wrong number of jobs, before anything is done", async () => {
    const steps = runCellsAtOnce([tinyCell(0)], { ...atOnce(), jobs: 0 }, never);
    await expect(followed(steps)).rejects.toThrow("jobs must be a whole number >= 1, not 0");
    expect(readdirSync(runs)).toEqual([]);
  });
});
