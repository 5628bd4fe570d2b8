import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../scripts/setup/command.mjs";
import { withLock } from "../../scripts/setup/lock.mjs";
import { checkout } from "../../scripts/setup/set-up.mjs";
import { temporaryFolder } from "./fake-libtorch.js";

const moduleOf = (name: string) =>
  JSON.stringify(pathToFileURL(join(checkout, "scripts", "setup", name)).href);

let folder = "";
let lock = "";
beforeEach(() => {
  folder = temporaryFolder();
  lock = join(folder, "setup.lock");
});

/** Tells whether a process still does something: a dead one that nobody has waited for does not. */
function works(pid: number): boolean {
  try {
    return !/^Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, ""));
  } catch {
    return false;
  }
}

/** A setup whose step is a shell that starts another process, as make does, and writes both numbers down. */
async function startedSetUp(shell = "sleep 60 & echo $$ $! > pids.new; mv pids.new pids; wait") {
  const script = `import { run } from ${moduleOf("command.mjs")};
    import { withLock } from ${moduleOf("lock.mjs")};
    withLock(${JSON.stringify(lock)}, () => run("sh", ["-c", ${JSON.stringify(shell)}], { cwd: ${JSON.stringify(folder)}, supervised: true }));`;
  const setUp = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
  // The supervisor writes the shell's number down after its start, on a busy machine somewhat later.
  const recorded = () => existsSync(`${lock}.work`) && readFileSync(`${lock}.work`, "utf8").includes("\n");
  const begun = () => existsSync(join(folder, "pids")) && recorded();
  for (let turn = 0; turn < 200 && !begun(); turn++) await setTimeout(50);
  const pids = readFileSync(join(folder, "pids"), "utf8").split(/\s+/).slice(0, 2).map(Number);
  return { setUp, pids };
}

async function killed(setUp: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  setUp.kill(signal);
  await new Promise((done) => setUp.once("exit", done));
}

async function allEnded(pids: readonly number[]): Promise<boolean> {
  for (let turn = 0; turn < 120 && pids.some(works); turn++) await setTimeout(50);
  return !pids.some(works);
}

describe("what setup has started", () => {
  test.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "ends with it at %s, its own children too",
    async (signal) => {
      const { setUp, pids } = await startedSetUp();
      expect(pids.map(works)).toEqual([true, true]);
      await killed(setUp, signal);
      expect(await allEnded(pids)).toBe(true);
    },
  );

  test("is waited for by the next setup, also where it does not want to end", async () => {
    const stubborn = "trap '' TERM; sleep 60 & echo $$ $! > pids.new; mv pids.new pids; wait";
    const { setUp, pids } = await startedSetUp(stubborn);
    await killed(setUp, "SIGKILL");
    expect(pids.some(works)).toBe(true);
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    // Synchronous: nothing of this process runs until the lock is had.
    expect(withLock(lock, () => pids.map(works))).toEqual([false, false]);
    expect(said.mock.calls.join("")).toMatch(
      /^setup: what a killed setup has started is still setting up this checkout/,
    );
    said.mockRestore();
  });

  test("is ended by the next setup where its supervisor was killed with setup", async () => {
    const { setUp, pids } = await startedSetUp();
    const [supervisor] = readFileSync(`${lock}.work`, "utf8").split(" ").map(Number);
    process.kill(supervisor!, "SIGKILL");
    await killed(setUp, "SIGKILL");
    expect(pids.map(works)).toEqual([true, true]);
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    expect(withLock(lock, () => pids.map(works))).toEqual([false, false]);
    said.mockRestore();
  });

  test("of a program whose number another process has by now, is nothing to wait for", () => {
    writeFileSync(lock, "999999999 5");
    writeFileSync(`${lock}.work`, `${process.pid} 1\n${process.pid} 1`);
    expect(withLock(lock, () => existsSync(`${lock}.work`))).toBe(false);
  });
});

describe("a supervised program", () => {
  test("says and returns what it does by itself", () => {
    expect(run("sh", ["-c", "echo out; echo err >&2"], { supervised: true })).toEqual({
      ok: true,
      stdout: "out\n",
      output: "out\nerr\n",
    });
    expect(run("sh", ["-c", "exit 3"], { supervised: true }).ok).toBe(false);
    expect(run("sqa-no-such-program", [], { supervised: true })).toMatchObject({
      ok: false,
      output: "spawn sqa-no-such-program ENOENT\n",
    });
  });
});
