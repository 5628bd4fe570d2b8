import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { SqaProcess } from "../cli/sqa-process.js";
import { writeDigits } from "../training/digits-folder.js";
import { amount, Chance, isLong } from "./amounts.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-kills-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const images = writeDigits(folder, { train: 80, test: 20 });
const data = ["--images", `mnist(folder=${images}, checksums=false)`, "--threads", "1", "--quiet"];
const common = [
  "train",
  "--model",
  "small",
  ...data,
  "--batch-size",
  "8",
  "--epochs",
  "12",
  "--held-out",
  "16",
];

/** Runs whose checkpoints hold different things. */
const recipes: Readonly<Record<string, readonly string[]>> = {
  plain: ["--method", "standard", "--validation-attack", "none"],
  "SQA, averaged, best epoch": [
    "--sqa",
    "--averaging",
    "0.9",
    "--selection",
    "best",
    "--validation-attack",
    "fgsm",
  ],
  guarded: ["--method", "fgsm-rs(epsilon=0.3)", "--guard", "roll-back", "--validation-attack", "none"],
  Adam: [
    ...["--optimizer", "adam", "--schedule", "one-cycle(peak=0.01)", "--method", "n-fgsm(epsilon=0.3)"],
    ...["--validation-attack", "none"],
  ],
};
const perRecipe = amount(2, 11);
const ofAudit = 16;

const commandOf = (recipe: string, runs: string) => [
  ...common,
  ...recipes[recipe]!,
  ...["--checkpoint-seconds", "0", "--precision", "float32", "--runs", runs],
];

async function ended(words: readonly string[]): Promise<string> {
  const child = new SqaProcess(words);
  expect(await child.ended(), child.stderr).toBe(0);
  return child.stdout.trim();
}

/** Text without what a clock tells, and in one order. */
function timeless(text: string): unknown {
  const drop = (key: string, value: unknown) =>
    key === "seconds" || key === "secondsPerStep"
      ? undefined
      : value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value;
  return JSON.parse(text, drop);
}

const resultOf = (run: string) => timeless(readFileSync(join(run, "result.json"), "utf8"));
const weightsOf = (run: string) => readFileSync(join(run, "weights.safetensors"));
const eventsOf = (run: string) =>
  readFileSync(join(run, "events.jsonl"), "utf8").trim().split("\n").map(timeless);

const files = (place: string): string[] =>
  existsSync(place) ? readdirSync(place, { recursive: true, encoding: "utf8" }) : [];

/** Time when a file below a folder was last changed. */
const changedAt = (place: string) =>
  Math.max(
    0,
    ...files(place).map((name) => statSync(join(place, name), { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );

/**
 * Kills a process at a random moment: some changes of its folder after it began, and then, one time in two,
 * within 12 ms, which is in the midst of writing. Returns false where it had ended by itself.
 */
async function killed(child: SqaProcess, place: string, chance: Chance): Promise<boolean> {
  let seen = changedAt(place);
  for (let left = 1 + chance.int(6); left > 0 && child.running; ) {
    await sleep(1);
    const now = changedAt(place);
    if (now === seen) continue;
    seen = now;
    left--;
  }
  await sleep(chance.share() < 0.5 ? chance.int(12) : chance.int(300));
  const isRunning = child.running;
  child.kill("SIGKILL");
  await child.ended();
  return isRunning;
}

/** Kills a command so many times while it works in a folder; each start goes on. */
async function kill(words: readonly string[], place: string, times: number, seed: number): Promise<number> {
  const chance = new Chance(seed);
  let kills = 0;
  for (let i = 0; i < times; i++) if (await killed(new SqaProcess(words), place, chance)) kills++;
  return kills;
}

const temporary = (place: string) =>
  files(place).filter((name) => name.endsWith(".tmp") || name.includes("lock"));

test.each(Object.keys(recipes).map((recipe, i) => [recipe, i] as const))(
  `a run (%s) that is killed ${perRecipe} times ends as an unbroken one, and leaves nothing`,
  async (recipe, i) => {
    const whole = await ended(commandOf(recipe, join(folder, `whole-${i}`)));
    const runs = join(folder, `killed-${i}`);
    const kills = await kill(commandOf(recipe, runs), runs, perRecipe, 7 + i);
    const run = await ended(commandOf(recipe, runs));
    expect(weightsOf(run).equals(weightsOf(whole))).toBe(true);
    expect(resultOf(run)).toEqual(resultOf(whole));
    expect(eventsOf(run)).toEqual(eventsOf(whole));
    expect(temporary(run)).toEqual([]);
    process.stderr.write(`${recipe}: ${kills} kills while it worked\n`);
  },
  3_600_000,
);

// It takes minutes, of which the short form has few.
test.runIf(isLong)(
  `an audit that is killed ${ofAudit} times ends with the report of an unbroken one`,
  async () => {
    const run = await ended(commandOf("plain", join(folder, "audited")));
    const audit = (place: string) => [
      ...["audit", run, "--budget", "quick", "--limit", "10", "--epsilon", "0.1", "--threads", "1"],
      ...["--quiet", "--out", place],
    ];
    const reportOf = (place: string) => timeless(readFileSync(join(place, "audit.json"), "utf8"));
    const [whole, broken] = [join(folder, "audit-whole"), join(folder, "audit-killed")];
    await ended(audit(whole));
    const kills = await kill(audit(broken), broken, ofAudit, 23);
    await ended(audit(broken));
    expect(reportOf(broken)).toEqual(reportOf(whole));
    process.stderr.write(`audit: ${kills} kills while it worked\n`);
  },
  3_600_000,
);
