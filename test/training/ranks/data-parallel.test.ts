import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readSafetensors } from "../../../src/files/index.js";
import { checkpointed, digitsRun } from "./digits-run.js";
import { Launched, noMpi, testProgram, trainedIn } from "./mpirun.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-ranks-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Largest difference of two lists, as a part of the second's numbers. */
const apart = (found: readonly number[], expected: readonly number[]) =>
  Math.max(...expected.map((value, i) => Math.abs(found[i]! - value) / Math.abs(value)));

describe.skipIf(noMpi !== undefined)(noMpi ?? "on four ranks", () => {
  test("losses and weights are those of one process, to rounding; and the same bits twice", async () => {
    const [one, four] = [join(folder, "one"), join(folder, "four")];
    const [program, ...words] = testProgram("program.ts", [one, "smooth", "rough"]);
    const single = trainedIn(spawnSync(program!, words, { encoding: "utf8" }).stdout);
    const launched = Launched.program(4, "program.ts", [four, "smooth", "rough", "smooth", "rough"]);
    expect([await launched.ended(), launched.output]).toEqual([0, expect.any(String)]);
    const shared = trainedIn(launched.output);
    expect(shared.map(({ name, ranks }) => [name, ranks])).toEqual([
      ["smooth", 4],
      ["rough", 4],
      ["smooth", 4],
      ["rough", 4],
    ]);

    for (const i of [0, 1]) {
      const [first, again] = [shared[i]!, shared[i + 2]!];
      expect(first.losses).toEqual(again.losses);
      expect(first.epochs).toEqual(again.epochs);
      expect(readFileSync(first.weights).equals(readFileSync(again.weights))).toBe(true);
    }

    // Sums of float32 in another order differ by 2^-24 each, and twelve small steps make at most ten times as
    // much of it (8e-7 was measured).
    const smooth = shared[0]!;
    expect(apart(smooth.losses.slice(0, 1), single[0]!.losses.slice(0, 1))).toBeLessThan(5e-7);
    expect(apart(smooth.losses, single[0]!.losses)).toBeLessThan(1e-5);
    const [own, given] = [single[0]!, smooth].map(({ weights }) => readSafetensors(weights).tensors);
    for (const [name, { data }] of own!) {
      const numbers = [...(given!.get(name)!.data as Float32Array)];
      const difference = [...(data as Float32Array)].map((value, at) => Math.abs(numbers[at]! - value));
      expect(Math.max(...difference), name).toBeLessThan(1e-5);
    }

    // As near (1e-7 was measured), as long as rounding turns no sign or level, which moves a pixel or an
    // activation by a whole step.
    const rough = shared[1]!;
    expect(apart(rough.losses.slice(0, 1), single[1]!.losses.slice(0, 1))).toBeLessThan(5e-7);
    expect(apart(rough.losses, single[1]!.losses)).toBeLessThan(0.01);
  }, 600_000);
});

const { flags, runIn } = digitsRun(folder);

describe.skipIf(noMpi !== undefined)(noMpi ?? "a run on ranks", () => {
  test("that lost a rank ends within seconds, and goes on to the same bits", async () => {
    const whole = Launched.sqa(2, flags(join(folder, "whole")));
    expect([await whole.ended(), whole.output]).toEqual([0, expect.stringContaining("2 ranks by mpirun")]);

    const run = runIn(join(folder, "killed"));
    const killed = Launched.sqa(2, flags(join(folder, "killed")));
    await checkpointed(run, killed);
    process.kill(killed.ranks()[1]!, "SIGKILL");
    const began = performance.now();
    expect(await killed.ended()).not.toBe(0);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(run.result).toBeUndefined();

    const resumed = Launched.sqa(2, flags(join(folder, "killed")));
    expect([await resumed.ended(), resumed.output]).toEqual([
      0,
      expect.stringContaining("going on after step"),
    ]);
    expect(readFileSync(run.weights).equals(readFileSync(runIn(join(folder, "whole")).weights))).toBe(true);
    expect(run.result!.ranks).toBe(2);
  }, 600_000);

  test("that a signal stops saves and ends with 75, and goes on on fewer ranks", async () => {
    const runs = join(folder, "stopped");
    const run = runIn(runs);
    const stopped = Launched.sqa(4, flags(runs));
    await checkpointed(run, stopped);
    stopped.kill("SIGUSR1");
    expect([await stopped.ended(), stopped.output]).toEqual([
      75,
      expect.stringContaining("stopped and saved"),
    ]);
    const resumed = Launched.sqa(2, flags(runs));
    expect([await resumed.ended(), resumed.output]).toEqual([
      0,
      expect.stringContaining("going on after step"),
    ]);
    expect(resumed.output).toContain("the run began with number of ranks 4 and goes on with 2");
    expect(run.result!.ranks).toBe(2);
    expect(run.events().filter(({ type }) => type === "epoch")).toHaveLength(3);
  }, 600_000);
});
