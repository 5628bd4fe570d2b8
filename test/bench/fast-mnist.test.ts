import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const program = new URL("../../bench/fast-mnist/fast-mnist.ts", import.meta.url).pathname;

/** Answers as `sqa` does: a run's folder, then an evaluation. */
const stub = `
  const [command, ...words] = process.argv.slice(2);
  const after = (name) => words[words.indexOf(name) + 1];
  if (command === "train") for (const end = Date.now() + 200; Date.now() < end; );
  const attacks = [{ attack: "pgd", robustAccuracy: 0.5 }];
  const evaluation = JSON.stringify({ clean: { accuracy: 0.75 }, attacks });
  process.stdout.write(command === "train" ? after("--runs") + "/run" : evaluation);
`;

test("trains and attacks each seed, and times the process that trained", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sqa-stub-"));
  const file = join(folder, "sqa.mjs");
  writeFileSync(file, stub);
  const words = ["--import", "tsx", program, "--seeds", "2", "--attack", "pgd(steps=3)"];
  const env = { ...process.env, SQA: `${process.execPath} ${file}` };
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: "utf8", env });
  rmSync(folder, { recursive: true });
  expect(status, stderr).toBe(0);
  const seeds = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(seeds).toMatchObject(
    [0, 1].map((seed) => ({ seed, clean: 0.75, attacked: { "pgd(steps=3)": 0.5 } })),
  );
  for (const { seconds, processorSeconds } of seeds) {
    expect(seconds).toBeGreaterThan(0.2);
    expect(processorSeconds).toBeGreaterThan(0.05);
  }
});

test.each([
  [["--seeds", "x"], "error: --seeds must be a whole number in 1 .. 1000, not x"],
  [["--limit", "0"], "error: --limit must be a whole number in 1 .. 10000, not 0"],
  [["--sees", "1"], "error: Unknown option '--sees'"],
])("refuses %j in one line", (words, message) => {
  const { stderr, status } = spawnSync(process.execPath, ["--import", "tsx", program, ...words], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(message);
});
