import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { writeDigits } from "../training/digits-folder.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-stopped-"));
afterAll(() => rmSync(folder, { recursive: true }));
const images = `mnist(folder=${writeDigits(folder, { train: 60, test: 10 })}, checksums=false)`;

const words = (runs: string) => [
  ...["train", "--model", "small", "--images", images, "--threads", "1", "--limit", "40", "--epochs", "3"],
  ...["--batch-size", "2", "--validation-attack", "none", "--checkpoint-seconds", "1000"],
  ...["--runs", join(folder, runs), "--json"],
];

/** Events of a run that printed them. */
function eventsOf(stdout: string): { type: string; step: number; run: string }[] {
  return stdout
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line));
}

/** Starts a run, and waits until it is in its second epoch, of which there is no checkpoint yet. */
async function begun(runs: string, ...more: string[]): Promise<SqaProcess> {
  const child = new SqaProcess([...more, ...words(runs)]);
  while (!child.stdout.includes('"step":25,') && child.running) await sleep(2);
  expect(child.running, child.stderr).toBe(true);
  return child;
}

/** Goes on with a run to its end: the step that it went on after, and its weights. */
async function goneOn(runs: string) {
  const child = new SqaProcess(words(runs));
  expect(await child.ended(), child.stderr).toBe(0);
  const events = eventsOf(child.stdout);
  const { run } = events.at(-1)!;
  return { after: events[0]!.step, weights: readFileSync(join(run, "weights.safetensors")) };
}

describe("training that ends before its time", { timeout: 60_000 }, async () => {
  const { weights } = await goneOn("unbroken");

  test.each([
    ["Ctrl-C", 75, (child: SqaProcess) => child.kill("SIGINT")],
    ["the system's request", 75, (child: SqaProcess) => child.kill("SIGTERM")],
    ["Ctrl-\\", 75, (child: SqaProcess) => child.kill("SIGQUIT")],
    ["a batch system's warning", 75, (child: SqaProcess) => child.kill("SIGUSR1")],
    [
      "a terminal that closes",
      75,
      (child: SqaProcess) => {
        child.kill("SIGHUP");
        child.closeOutput();
        child.kill("SIGHUP");
      },
    ],
    ["a reader that goes away", 75, (child: SqaProcess) => child.closeOutput()],
  ])("by %s saves first, and says so by its exit code", async (name, code, end) => {
    const runs = name.replaceAll(/\W/g, "-");
    const child = await begun(runs);
    end(child);
    expect(await child.ended(), child.stderr).toBe(code);
    const { after, weights: found } = await goneOn(runs);
    expect(after).toBeGreaterThan(20);
    expect(found.equals(weights)).toBe(true);
  });

  test("by a module's late error saves first, shows one line, and fails", async () => {
    const [module, sign] = [join(folder, "late.mjs"), join(folder, "sign")];
    const work = "if (existsSync(SIGN)) { clearInterval(timer); throw new Error('my timer\\nmore'); }";
    writeFileSync(
      module,
      `import { existsSync } from "node:fs";
       const timer = setInterval(() => { ${work.replace("SIGN", JSON.stringify(sign))} }, 1);`,
    );
    const child = await begun("late", "--import", module);
    writeFileSync(sign, "");
    expect(await child.ended(), child.stderr).toBe(1);
    expect(child.stderr).toMatch(/^error: my timer\nmore\nstopping\n$/);
    const stopped = eventsOf(child.stdout).at(-1)!;
    expect(stopped.type).toBe("stopped");
    expect(stopped.step).toBeGreaterThan(20);
  });
});

test("a list whose reader goes away ends quietly", async () => {
  const child = new SqaProcess(["list"]);
  child.closeOutput();
  expect(await child.ended()).toBe(0);
});
