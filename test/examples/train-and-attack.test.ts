import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sqa-example-"));
afterAll(() => rmSync(folder, { recursive: true }));

// The README shows this example; it runs here as a user of the package would run it, on a few images.
test("examples/train-and-attack.ts trains, attacks and prints what is left", () => {
  const tsx = resolve(checkout, "node_modules/tsx/dist/loader.mjs");
  const words = ["--import", tsx, resolve(checkout, "examples/train-and-attack.ts"), "60"];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout.trim().split("\n");
  expect(lines.slice(0, 3).join("\n")).toMatch(/^(epoch \d: loss \d\.\d+, clean [01](\.\d+)?\n?){3}$/);
  expect(lines.slice(3)).toEqual([
    expect.stringMatching(/^fgsm\(epsilon=0\.3, labels=given\) [01](\.\d+)?$/),
    expect.stringMatching(/^pgd\(epsilon=0\.3, stepSize=0\.01, steps=40, .*\) [01](\.\d+)?$/),
  ]);
  expect(existsSync(join(folder, "runs"))).toBe(true);
});
