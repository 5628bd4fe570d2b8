// Signals to mpirun. At SIGTERM and Ctrl-C it wakes the ranks, sends them SIGTERM after a while, and kills them
// after as long again; `odls_base_sigkill_timeout` is that while, one second at first.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkpointed, digitsRun } from "./digits-run.js";
import { Launched, noMpi } from "./mpirun.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-signals-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { flags, runIn, paced } = digitsRun(folder);

const patient = ["--mca", "odls_base_sigkill_timeout", "5"];

describe.skipIf(noMpi !== undefined)(noMpi ?? "a run on four ranks that a signal stops", () => {
  test("goes on to the same bits, saved or killed", { timeout: 1_200_000 }, async () => {
    const whole = Launched.sqa(4, flags(join(folder, "whole")));
    expect([await whole.ended(), whole.output]).toEqual([0, expect.stringContaining("4 ranks by mpirun")]);
    const expected = readFileSync(runIn(join(folder, "whole")).weights);

    for (const [signal, given, saves] of [
      ["SIGUSR1", [], true],
      ["SIGTERM", patient, true],
      ["SIGINT", patient, true],
      ["SIGTERM", [], false],
      ["SIGINT", [], false],
    ] as const) {
      const runs = join(folder, `${signal}-${given.length}`);
      const run = runIn(runs);
      const stopped = Launched.sqa(4, [...paced(150), ...flags(runs)], given);
      await checkpointed(run, stopped);
      stopped.kill(signal);
      const code = await stopped.ended();
      expect(code, stopped.output).not.toBe(0);
      expect(run.result, stopped.output).toBeUndefined();
      if (saves) expect(stopped.output).toContain("stopped and saved after step");
      // mpirun has a code of its own for a run that it was told to end.
      if (signal === "SIGUSR1") expect(code).toBe(75);

      const resumed = Launched.sqa(4, flags(runs));
      expect([await resumed.ended(), resumed.output]).toEqual([
        0,
        expect.stringContaining("going on after step"),
      ]);
      expect(readFileSync(run.weights).equals(expected), `${signal} ${given.join(" ")}`).toBe(true);
    }
  });
});
