import { expect, it } from "vitest";
import { followExperiment } from "../../src/cli/experiment-progress.js";
import type { ExperimentEvent } from "../../src/paper/index.js";
import type { EpochEvent, TrainEvent } from "../../src/training/index.js";
import { captureOutput } from "./captured-output.js";

async function* told(...events: TrainEvent[]): AsyncGenerator<ExperimentEvent> {
  for (const event of events) yield { type: "train", cell: "small-sqa-seed0", event };
  for (const done of [0, 5]) {
    const event = { type: "progress", attack: "pgd(epsilon=0.3, steps=40)", done, images: 5 } as const;
    yield { type: "evaluate", cell: "small-sqa-seed0", event };
  }
}

const start = { type: "start", run: "runs/x", epochs: 12, stepsPerEpoch: 2, step: 0, parameters: 7 } as const;
const epoch: EpochEvent = {
  type: "epoch",
  epoch: 1,
  step: 2,
  loss: 0.5,
  clean: 0.9,
  probes: [{ attack: "fgsm", accuracy: 0.8 }],
  commonestClass: 0.1,
  seconds: 1,
  secondsPerStep: 0.5,
};

it("names the cell before what its training says", async () => {
  using captured = captureOutput();
  const outcomes = await followExperiment(
    told(
      start,
      { type: "step", epoch: 1, step: 1, loss: 0.5, learningRate: 0.1 },
      epoch,
      { type: "alarm", kind: "constant-output", epoch: 1, step: 2, message: "one class only" },
      { type: "warning", message: "other threads" },
      { type: "stopped", run: "runs/x", step: 2 },
    ),
  );
  expect(outcomes).toEqual([]);
  expect(captured.stderr.text.trimEnd().split("\n")).toEqual([
    "small-sqa-seed0: epoch  1/12  loss 0.5000  clean 90.0 %  fgsm 80.0 %  500.0 ms a step",
    "small-sqa-seed0: ALARM in epoch 1: one class only",
    "small-sqa-seed0: warning: other threads",
    "small-sqa-seed0: stopped and saved after step 2; the same command goes on",
  ]);
  expect(captured.stdout.text).toBe("");
});

it("shows a bar for the training and one for each attack, and takes them away", async () => {
  using captured = captureOutput({ terminal: true });
  await followExperiment(told(start, epoch));
  expect(captured.stderr.text).toContain("small-sqa-seed0: train");
  expect(captured.stderr.text).toContain("small-sqa-seed0: pgd");
  expect(captured.stderr.text.endsWith("\r\u001b[2K")).toBe(true);
});
