import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { wordStream } from "../../src/base/index.js";
import { mnist } from "../../src/datasets/index.js";
import { RunFolder, type TrainConfigInput, train, trainConfig } from "../../src/training/index.js";
import { SqaProcess } from "../cli/sqa-process.js";
import { writeDigits } from "./digits-folder.js";

const kills = 20;

const folder = mkdtempSync(join(tmpdir(), "sqa-killed-"));
afterAll(() => rmSync(folder, { recursive: true }));
const images = writeDigits(folder, { train: 40, test: 10 });
const data = mnist({ folder: images, checksums: false });

/**
 * 160 steps of some milliseconds, every fourth with validation; SQA, a random start and Adam, so that all
 * state counts.
 */
const config: TrainConfigInput = {
  model: "small",
  data,
  defenses: ["sqa"],
  method: "fgsm-rs(epsilon=0.1)",
  cleanWeight: 0.5,
  optimizer: "adam",
  schedule: "one-cycle(peak=0.002)",
  epochs: 40,
  batchSize: 8,
  heldOut: 8,
  validationAttacks: ["fgsm(epsilon=0.1)"],
};

const flags = (runs: string) => [
  ..."--model small --defense sqa --method fgsm-rs(epsilon=0.1) --clean-weight 0.5 --optimizer adam".split(
    " ",
  ),
  ..."--epochs 40 --batch-size 8 --schedule one-cycle(peak=0.002) --held-out 8".split(" "),
  ..."--validation-attack fgsm(epsilon=0.1) --threads 1".split(" "),
  // The command would choose by the processor.
  ...["--precision", "float32"],
  ...["--images", String(data), "--runs", runs, "--checkpoint-seconds", "0"],
];

/** Time when a file was last replaced, in milliseconds; 0 before it is there. */
const changedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * Resolves at a random moment of a training process: some checkpoints after it began to train, and then
 * within a step's time, so that the kill may fall into a step, a validation, or the writing of a file.
 */
async function randomMoment(child: SqaProcess, checkpoint: string, word: () => number): Promise<void> {
  let seen = changedAt(checkpoint);
  let [at, took] = [0, 20];
  for (let left = word() % 4; left >= 0 && child.running; ) {
    await sleep(1);
    const now = changedAt(checkpoint);
    if (now === seen) continue;
    if (at > 0) took = performance.now() - at;
    seen = now;
    at = performance.now();
    left--;
  }
  await sleep((Math.min(took, 200) * (word() % 1000)) / 500);
}

test(`a run killed at ${kills} random moments ends with the weights of an unbroken one, bit for bit`, async () => {
  let whole: string | undefined;
  for await (const event of train(config, { runs: join(folder, "whole"), threads: 1 })) {
    if (event.type === "end") whole = event.weights;
  }
  const run = RunFolder.for(trainConfig(config), join(folder, "killed"));
  const word = wordStream(2026);
  for (let count = 0; count < kills; count++) {
    const child = new SqaProcess(["train", ...flags(join(folder, "killed"))]);
    await randomMoment(child, run.checkpoint, word);
    child.kill("SIGKILL");
    expect([await child.ended(), child.stderr], `kill ${count + 1}`).toEqual(["SIGKILL", expect.any(String)]);
  }
  const last = new SqaProcess(["train", ...flags(join(folder, "killed"))]);
  expect([await last.ended(), last.stderr]).toEqual([0, expect.stringContaining("going on after step ")]);
  expect(last.stdout).toBe(`${run.path}\n`);
  expect(readFileSync(run.weights).equals(readFileSync(whole!))).toBe(true);
  const epochs = run.events().filter((event) => event.type === "epoch");
  expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
}, 180_000);
