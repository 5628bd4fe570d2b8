import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mnist } from "../../../src/datasets/index.js";
import { RunFolder, type TrainConfigInput, trainConfig } from "../../../src/training/index.js";
import { writeDigits } from "../digits-folder.js";

/** A run of 90 steps on digits below a folder: words of `sqa train`, and where it is kept. */
export function digitsRun(folder: string) {
  const data = mnist({ folder: writeDigits(folder, { train: 240, test: 10 }), checksums: false });
  const config: TrainConfigInput = {
    model: "small",
    data,
    defenses: ["sqa"],
    method: "fgsm-rs(epsilon=0.1)",
    optimizer: "adam",
    epochs: 3,
    batchSize: 8,
    validationAttacks: [],
    precision: "float32",
  };
  const model = "train --model small --defense sqa --method fgsm-rs(epsilon=0.1) --optimizer adam --epochs 3";
  const manner =
    "--batch-size 8 --no-validation-attack --threads 1 --precision float32 --checkpoint-seconds 0";
  return {
    flags: (runs: string) => [
      ...`${model} ${manner}`.split(" "),
      ...["--images", String(data), "--runs", runs],
    ],
    runIn: (runs: string) => RunFolder.for(trainConfig(config), runs),
    /**
     * Words before those of a command that make each step last so long at least: whatever the machine does
     * beside it, the run is not over before the test has disturbed it.
     */
    paced: (milliseconds: number) => {
      const file = join(folder, `pace-${milliseconds}.mjs`);
      writeFileSync(
        file,
        `const word = new Int32Array(new SharedArrayBuffer(4));
setInterval(() => Atomics.wait(word, 0, 0, ${milliseconds}), 1).unref();
`,
      );
      return ["--import", file];
    },
  };
}

/** Waits until a run has written a checkpoint. */
export async function checkpointed(
  { checkpoint }: RunFolder,
  launched: { readonly running: boolean },
): Promise<void> {
  while (launched.running && !existsSync(checkpoint)) await sleep(5);
  await sleep(50);
}
