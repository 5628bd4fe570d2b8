// Ranks that torchrun starts meet by Gloo. It is Python's; its variables are all that it gives, so they are set
// by hand.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { readSafetensors } from "../../../src/files/index.js";
import { checkpointed, digitsRun } from "./digits-run.js";
import { Launched, noMpi, sqaWords, testProgram, trainedIn } from "./mpirun.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-torchrun-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { flags, runIn, paced } = digitsRun(folder);

/** Exit codes of ranks, once all have ended, and what they wrote. */
async function ended(ranks: readonly Launched[]) {
  const codes = await Promise.all(ranks.map((rank) => rank.ended()));
  return { codes, output: ranks.map(({ output }) => output).join("\n") };
}

const runsOf = (name: string) => join(folder, name);

describe("ranks by the variables of torchrun", { timeout: 600_000 }, () => {
  test("train as one process does, to rounding, and to the same bits twice", async () => {
    const [program, ...words] = testProgram("program.ts", [runsOf("one"), "smooth"]);
    const [one] = trainedIn(spawnSync(program!, words, { encoding: "utf8" }).stdout);
    const cases = ["smooth", "rough", "smooth", "rough"];
    const ranks = await Launched.byVariables(4, testProgram("program.ts", [runsOf("four"), ...cases]));
    const { codes, output } = await ended(ranks);
    expect(codes, output).toEqual([0, 0, 0, 0]);
    const found = trainedIn(output);
    expect(found.map(({ name, ranks }) => [name, ranks])).toEqual(cases.map((name) => [name, 4]));
    for (const i of [0, 1]) {
      expect(found[i]!.losses).toEqual(found[i + 2]!.losses);
      expect(readFileSync(found[i]!.weights).equals(readFileSync(found[i + 2]!.weights))).toBe(true);
    }
    for (const [i, loss] of one!.losses.entries())
      expect(Math.abs(found[0]!.losses[i]! / loss - 1)).toBeLessThan(1e-5);
    const [expected, given] = [one!, found[0]!].map(({ weights }) => readSafetensors(weights).tensors);
    for (const [name, { data }] of expected!) {
      const numbers = [...(given!.get(name)!.data as Float32Array)];
      const difference = [...(data as Float32Array)].map((value, at) => Math.abs(numbers[at]! - value));
      expect(Math.max(...difference), name).toBeLessThan(1e-5);
    }
  });

  test("end within seconds of one that is killed, stop by a signal to one, and go on", async () => {
    const start = (runs: string, ...before: string[]) =>
      Launched.byVariables(2, sqaWords([...before, ...flags(runsOf(runs))]));
    const whole = await ended(await start("whole"));
    expect(whole.codes, whole.output).toEqual([0, 0]);
    const run = runIn(runsOf("disturbed"));

    const killed = await start("disturbed", ...paced(150));
    await checkpointed(run, killed[0]!);
    const began = performance.now();
    killed[1]!.kill("SIGKILL");
    const { codes, output } = await ended(killed);
    expect(codes).toEqual([1, "SIGKILL"]);
    expect(output).toContain("another rank has ended");
    expect(performance.now() - began).toBeLessThan(20_000);

    const stopped = await start("disturbed", ...paced(150));
    while (!stopped[0]!.output.includes("going on after step") && stopped[0]!.running) await sleep(20);
    stopped[1]!.kill("SIGTERM");
    const saved = await ended(stopped);
    expect(saved.codes, saved.output).toEqual([75, 75]);
    expect(saved.output).toContain("torchrun --nproc-per-node 2 --no-python npx sqa train");

    const last = await ended(await start("disturbed"));
    expect(last.codes, last.output).toEqual([0, 0]);
    const weights = readFileSync(run.weights);
    expect(weights.equals(readFileSync(runIn(runsOf("whole")).weights))).toBe(true);
    if (noMpi !== undefined) return;
    // A sum of two numbers has no order.
    const byMpi = Launched.sqa(2, flags(runsOf("mpi")));
    expect([await byMpi.ended(), byMpi.output]).toEqual([0, expect.any(String)]);
    expect(weights.equals(readFileSync(runIn(runsOf("mpi")).weights))).toBe(true);
  });
});
