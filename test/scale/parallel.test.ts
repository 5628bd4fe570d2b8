import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { programOnPath } from "../../scripts/setup/command.mjs";
import { SharedAudit } from "./shared-audit.js";

const isThere = programOnPath("parallel") !== undefined;
if (!isThere) process.stderr.write("GNU parallel's tests are skipped (apt-get install parallel)\n");

const recipe = fileURLToPath(new URL("../../examples/scale/audit-parallel.sh", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sqa-parallel-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Process of a shard, found by its words; undefined while it is not there. */
function processOf(shard: string): number | undefined {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.map(Number).find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words[0] === process.execPath && words.includes(shard) && readFolder(pid) === folder;
    } catch {
      return false;
    }
  });
}

const readFolder = (pid: number) =>
  /^PWD=(.*)$/m.exec(readFileSync(`/proc/${pid}/environ`, "utf8").replaceAll("\0", "\n"))?.[1];

/** Starts the recipe; the promise gives its exit code. */
function start(words: readonly string[]): Promise<number | null> {
  const env = { ...process.env, PARALLEL: "--jobs 2 --will-cite" };
  const child = spawn("bash", [recipe, "4", ...words], { cwd: folder, env, stdio: "ignore" });
  return new Promise((done) => child.on("close", done));
}

/** Exit code and signal by shard, as the log of jobs has them, in the order in which they ended. */
function ends(): string[] {
  const [, ...lines] = readFileSync(join(folder, "sqa-audit-4.log"), "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [shard, , , , , , code, signal] = line.split("\t");
    return `${shard}: ${code} ${signal}`;
  });
}

describe.skipIf(!isThere)("an audit by GNU parallel", { timeout: 1_200_000 }, () => {
  it("goes on with a killed shard when it is called again, and starts no finished one", async () => {
    const audit = new SharedAudit(folder);
    const first = start(audit.words);
    while (audit.records(1).size < 3) await sleep(20);
    process.kill(processOf("1/4")!, "SIGKILL");
    expect(await first).toBe(1);
    expect(ends().sort()).toEqual(["1: 0 9", "2: 0 0", "3: 0 0", "4: 0 0"]);
    const records = audit.records();
    const trials = audit.records(2).size;
    expect(audit.records(1).size).toBeLessThan(trials);
    expect(await start(audit.words)).toBe(0);
    expect(ends().filter((end) => end.startsWith("1"))).toContain("1: 0 0");
    const all = audit.records();
    expect(all.size).toBe(4 * trials);
    for (const [file, number] of records) expect(all.get(file), file).toBe(number);
    const sittings = [1, 2, 3, 4].map((shard) => audit.manifest(shard).sittings.length);
    expect(sittings).toEqual([2, 1, 1, 1]);
    await audit.expectMerge();
  });
});
