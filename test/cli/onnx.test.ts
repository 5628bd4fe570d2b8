import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { onnxFile } from "../models/exported/onnx/fixtures.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cli-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("a model in ONNX's format at the command line", { timeout: 120_000 }, () => {
  it("is evaluated, with its notes", async () => {
    const model = onnxFile("mnist-int8");
    const result = await sqa("evaluate", model, "--images", "mnist", "--limit", "40", "--json");
    expect([result.code, result.err]).toEqual([0, expect.stringContaining("ONNX, operator set 17")]);
    expect(result.err).toContain("gradients blocked by QuantizeLinear");
    const { clean } = JSON.parse(result.out) as { clean: { accuracy: number } };
    expect(clean.accuracy).toBeGreaterThan(0.7);
  });

  it("is trained to a run, which is evaluated again with the file", async () => {
    const model = onnxFile("mnist");
    const method = ["--method", "fgsm(epsilon=0.1)", "--epochs", "1", "--limit", "128", "--batch-size", "32"];
    const given = ["train", "--model", model, "--images", "mnist", ...method, "--runs", folder];
    const refused = await sqa(...given, "--out", join(folder, "hardened.pt2"));
    expect([refused.code, refused.err]).toEqual([
      64,
      expect.stringContaining("copies are written of .pt2 files"),
    ]);
    const trained = await sqa(...given, "--validation-attack", "none");
    expect(trained.code, trained.err).toBe(0);
    const run = join(folder, readdirSync(folder)[0]!);
    const again = await sqa("evaluate", run, "--architecture", model, "--limit", "20");
    expect([again.code, again.out], again.err).toEqual([0, expect.stringContaining("clean")]);
    const other = await sqa("evaluate", run, "--architecture", onnxFile("mnist-int8"), "--limit", "20");
    expect(other.code).not.toBe(0);
  });
});
