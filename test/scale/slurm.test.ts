import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { SharedAudit } from "./shared-audit.js";
import { SlurmCluster, withoutSlurm } from "./slurm-cluster.js";

if (withoutSlurm !== undefined) process.stderr.write(`Slurm's tests are skipped: ${withoutSlurm}\n`);

const recipe = fileURLToPath(new URL("../../examples/scale/audit-array.sbatch", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sqa-slurm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fields of a job, such as `JobState`. */
function fieldsOf(cluster: SlurmCluster, job: string): Readonly<Record<string, string>> {
  const words = cluster.run("scontrol", "--oneliner", "show", "job", job).split(/\s+/);
  return Object.fromEntries(words.map((word) => word.split("=", 2) as [string, string]));
}

/** Process of `sqa` among those of a job. */
function workOf(cluster: SlurmCluster, job: string): number {
  const isWork = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--shard");
  const { JobId, JobState } = fieldsOf(cluster, job);
  const pids = cluster.pids(JobId!);
  const work = pids.find(isWork);
  if (work === undefined) throw new Error(`${job} is ${JobState}, without sqa among its processes: ${pids}`);
  return work;
}

/** Records after which a task is disturbed: it is amid its work then. */
const amid = 3;

describe.skipIf(withoutSlurm !== undefined)("an audit by an array of Slurm", { timeout: 1_200_000 }, () => {
  it("loses nothing and does nothing twice, whatever ends its tasks", async () => {
    const audit = new SharedAudit(folder);
    mkdirSync(join(folder, "slurm"));
    await using cluster = await SlurmCluster.start(join(folder, "slurm"), 8);
    const submit = ["--parsable", "--array=1-4%2", "--cpus-per-task=1", `--chdir=${folder}`, recipe];
    const array = cluster.run("sbatch", ...submit, ...audit.words).trim();
    const disturb = new Map<number, () => unknown>([
      // As the kernel does for want of memory: the recipe submits the task again.
      [1, () => process.kill(workOf(cluster, `${array}_1`), "SIGKILL")],
      // As Slurm does before the time is up.
      [2, () => cluster.begin("scancel", "--batch", "--signal=USR1", `${array}_2`)],
      // As an administrator does who needs the node.
      [3, () => cluster.run("scontrol", "requeue", `${array}_3`)],
    ]);
    const first = new Map<string, number>();
    const disturbed: number[] = [];
    let most = 0;
    for (;;) {
      for (const [file, number] of audit.records()) if (!first.has(file)) first.set(file, number);
      for (const [shard, act] of disturb) {
        const done = audit.records(shard).size;
        if (done < amid) continue;
        disturb.delete(shard);
        disturbed.push(done);
        act();
      }
      const lines = cluster.run("squeue", "--noheader", "--array", "--format=%T").trim();
      if (lines === "") break;
      most = Math.max(most, lines.split("\n").filter((state) => state === "RUNNING").length);
      await sleep(20);
    }
    const states = [1, 2, 3, 4].map((task) => fieldsOf(cluster, `${array}_${task}`));
    const output = [1, 2, 3, 4].map((task) =>
      readFileSync(join(folder, `slurm-${array}_${task}.out`), "utf8"),
    );
    const ends = states.map(({ JobState, ExitCode, Restarts }) => [JobState, ExitCode, Restarts]);
    const done = (restarts: string) => ["COMPLETED", "0:0", restarts];
    expect(ends, output.join("\n")).toEqual([done("1"), done("1"), done("1"), done("0")]);
    expect(most).toBe(2);
    const records = audit.records();
    const trials = records.size / 4;
    expect(trials).toBeGreaterThan(30);
    for (const shard of [1, 2, 3, 4]) expect(audit.records(shard).size).toBe(trials);
    for (const done of disturbed) expect(done).toBeLessThan(trials);
    // A record that were written again would be another file.
    expect(records).toEqual(first);
    const sittings = [1, 2, 3, 4].map((shard) => audit.manifest(shard).sittings);
    expect(sittings.map(({ length }) => length)).toEqual([2, 2, 2, 1]);
    expect(sittings[0]![0]!.finishedAt).toBeNull();
    expect(sittings[1]![0]!.finishedAt).not.toBeNull();
    await audit.expectMerge();
  });
});
