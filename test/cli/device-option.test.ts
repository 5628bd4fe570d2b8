import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { versions } from "../../src/engine/index.js";
import { RunFolder } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-device-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = writeDigits(folder, { train: 60, test: 10 });
const runs = join(folder, "runs");
const brief = [
  "--model",
  "small",
  "--images",
  `mnist(folder=${data}, checksums=false)`,
  "--batch-size",
  "20",
];
brief.push("--epochs", "2", "--validation-attack", "fgsm(epsilon=0.1)");

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("--device", () => {
  test("other than cpu, cuda or cuda:N is a mistake in the command", async () => {
    for (const command of [
      ["train", ...brief],
      ["evaluate", "nowhere"],
    ]) {
      const { code, err } = await sqa(...command, "--device", "gpu");
      expect([code, err]).toEqual([64, expect.stringContaining("cpu, cuda or cuda:N")]);
    }
  });

  test("that is not there ends the command with the reason, and leaves nothing behind", async () => {
    const trained = await sqa("train", ...brief, "--runs", runs, "--device", "cuda:99");
    expect([trained.code, trained.err]).toEqual([
      64,
      expect.stringMatching(/^error: device cuda:99 is not there: /),
    ]);
    expect(existsSync(runs)).toBe(false);
    const evaluated = await sqa("evaluate", "nowhere", "--device", "cuda:99");
    expect([evaluated.code, evaluated.err]).toEqual([
      64,
      expect.stringContaining("device cuda:99 is not there"),
    ]);
  });
});

const { cuda, cudaDevices } = versions();
const here = cudaDevices > 0 && cuda === "kernels";

describe.skipIf(!here)(
  `training and evaluation on a CUDA device${here ? "" : " (skipped: there is none)"}`,
  () => {
    const finalLoss = (run: string) => RunFolder.open(run.trim()).result!.last.loss;

    test("come out as on the CPU, but for rounding", async () => {
      const words = ["train", ...brief, "--sqa", "--quiet"];
      const there = await sqa(...words, "--runs", join(folder, "cuda"), "--device", "cuda");
      const host = await sqa(...words, "--runs", join(folder, "cpu"));
      expect([there.code, host.code]).toEqual([0, 0]);
      const environment = JSON.parse(readFileSync(join(there.out.trim(), "environment.json"), "utf8"));
      expect(environment.device).toBe("cuda:0");
      // Convolutions in TF32 move some activations across a level, so losses agree to a few percent only.
      expect(finalLoss(there.out) / finalLoss(host.out)).toBeCloseTo(1, 1);
      const attack = ["--attack", "pgd(epsilon=0.1, steps=3)", "--json"];
      const evaluated = await sqa("evaluate", there.out.trim(), ...attack, "--device", "cuda");
      expect(evaluated.code).toBe(0);
    });
  },
);
