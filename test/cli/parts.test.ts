import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { exitCode } from "../../src/cli/frame/exit-code.js";
import { main } from "../../src/cli/main.js";
import { captureOutput } from "./captured-output.js";

// A folder whose name needs quotes in the command that is given next.
const runs = mkdtempSync(join(tmpdir(), "sqa parts command-"));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const sqa = async (...words: string[]) => {
  using captured = captureOutput();
  const code = await main([...words, "--runs", runs, "--threads", "1"]);
  return { code, out: captured.stdout.text.trim(), err: captured.stderr.text };
};

const sizes = ["--limit", "20", "--batch-size", "10", "--filters", "2", "--layers", "1", "--mixtures", "1"];
const density = ["density", "--images", "mnist", "--epochs", "2", ...sizes];

test("sqa density trains a density model once, and prints its folder", async () => {
  const first = await sqa(...density);
  expect(first.code).toBe(exitCode.done);
  expect(existsSync(join(first.out, "weights.safetensors"))).toBe(true);
  expect(first.err).toMatch(/epoch 2\/2 {2}loss [\d.]+ {2}bits of test images [\d.]+/);
  expect(first.err).toContain(`--defense 'pixel-defend(density="${first.out}")'`);
  const again = await sqa(...density);
  expect(again).toMatchObject({ code: exitCode.done, out: first.out });
  expect(again.err).toContain("finished already, in");
});

test("sqa density and sqa denoiser say what they cannot take", async () => {
  const few = await sqa(...density, "--limit", "70000");
  expect(few).toMatchObject({ code: exitCode.usage, out: "" });
  expect(few.err).toContain("limit must be at most 60000");
  const nowhere = await sqa("denoiser", join(runs, "nowhere"));
  expect(nowhere.code).not.toBe(exitCode.done);
  expect(nowhere.err).toContain("nowhere does not exist");
  const attack = await sqa("denoiser", runs, "--attack", "pgdd");
  expect(attack).toMatchObject({ code: exitCode.usage, out: "" });
  expect(attack.err).toContain('unknown attack "pgdd"');
});
