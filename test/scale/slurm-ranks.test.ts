import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { checkpointed, digitsRun } from "../training/ranks/digits-run.js";
import { Launched, noMpi, sqaWords } from "../training/ranks/mpirun.js";
import { SlurmCluster, withoutSlurm } from "./slurm-cluster.js";

/** Slurm opens PMIx's library by a name that only its package for developers gives it. */
const hasPmix = ["x86_64", "aarch64"].some((processor) =>
  existsSync(`/usr/lib/${processor}-linux-gnu/pmix2/lib/libpmix.so`),
);
const missing =
  withoutSlurm ?? noMpi ?? (hasPmix ? undefined : "no libpmix.so (apt-get install libpmix-dev)");
if (missing !== undefined) process.stderr.write(`ranks under Slurm are not tested: ${missing}\n`);

const folder = mkdtempSync(join(tmpdir(), "sqa-slurm-ranks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shellQuoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");

/** Process of a job's rank. */
function rankOf(cluster: SlurmCluster, job: string, rank: number): number {
  const isRank = (pid: number) => {
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return (
      variables.includes(`SLURM_PROCID=${rank}`) && variables.some((text) => text.startsWith("PMIX_RANK="))
    );
  };
  return cluster.pids(job).find(isRank)!;
}

describe.skipIf(missing !== undefined)("ranks by srun", { timeout: 1_200_000 }, () => {
  test("train as those of mpirun, end with one that is killed, and go on to the same bits", async () => {
    const { flags, runIn, paced } = digitsRun(folder);
    const runsOf = (name: string) => join(folder, name);
    const byMpirun = Launched.sqa(2, flags(runsOf("mpirun")));
    expect([await byMpirun.ended(), byMpirun.output]).toEqual([0, expect.any(String)]);
    const expected = readFileSync(runIn(runsOf("mpirun")).weights);

    mkdirSync(runsOf("slurm"));
    await using cluster = await SlurmCluster.start(runsOf("slurm"), 8);
    const srun = ["--mpi=pmix", "--kill-on-bad-exit=1", "-n", "2"];
    cluster.run("srun", ...srun, ...sqaWords(flags(runsOf("srun"))));
    const run = runIn(runsOf("srun"));
    expect([run.result!.ranks, readFileSync(run.weights).equals(expected)]).toEqual([2, true]);

    // srun without PMIx starts processes that know nothing of each other.
    expect(() => cluster.run("srun", "-n", "2", ...sqaWords(flags(runsOf("apart"))))).toThrow("--mpi=pmix");

    /** Submits a batch script; resolves with the job's state when `act` has disturbed it and it has ended. */
    const submitted = async (before: readonly string[], act: (job: string) => unknown) => {
      const script = join(folder, "job.sh");
      const words = shellQuoted(["srun", ...srun, ...sqaWords([...before, ...flags(runsOf("batch"))])]);
      writeFileSync(script, `#!/bin/sh\n${words}\n`);
      const output = join(folder, "job.out");
      const job = cluster.run("sbatch", "--parsable", "-n", "2", `--output=${output}`, script).trim();
      await act(job);
      while (cluster.run("squeue", "--noheader", "--job", job).trim() !== "") await sleep(50);
      const state = /JobState=(\w+)/.exec(cluster.run("scontrol", "show", "job", job))![1];
      return [state, readFileSync(output, "utf8")];
    };
    const batch = runIn(runsOf("batch"));
    let began = 0;
    const killed = await submitted(paced(150), async (job) => {
      await checkpointed(batch, { running: true });
      process.kill(rankOf(cluster, job, 1), "SIGKILL");
      began = performance.now();
    });
    expect(killed).toEqual(["FAILED", expect.stringContaining("2 ranks by srun")]);
    // Slurm gives the other rank its KillWait, 30 seconds, before it kills it too.
    expect(performance.now() - began).toBeLessThan(120_000);
    expect(batch.result).toBeUndefined();
    const resumed = await submitted([], () => {});
    expect(resumed).toEqual(["COMPLETED", expect.stringContaining("going on after step")]);
    expect(readFileSync(batch.weights).equals(expected)).toBe(true);
  });
});
