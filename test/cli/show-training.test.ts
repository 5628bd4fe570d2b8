import { expect, it } from "vitest";
import { showTraining } from "../../src/cli/commands/train/show-training.js";
import type { AlarmKind, TrainEvent } from "../../src/training/index.js";
import { captureOutput } from "./captured-output.js";

/** Ending of a run that had an alarm in its warm-up; `standing` are the kinds that still hold. */
async function* ending(standing: AlarmKind[] | undefined): AsyncGenerator<TrainEvent> {
  const epoch = { type: "epoch", epoch: 4, step: 40, loss: 0.2, clean: 0.88, validation: [] } as const;
  const last = { ...epoch, validation: [], commonestClass: 0.1, seconds: 1, secondsPerStep: 0.1 };
  const message = "99.0 % of the validation images are predicted as one class: the model does not learn";
  const alarm = { type: "alarm", kind: "constant-output", epoch: 1, step: 10, message } as const;
  const result = {
    ...{ epochs: 4, steps: 40, last, alarms: [alarm], seconds: 4, libtorch: "2", threads: 1 },
    ...(standing === undefined ? {} : { standing }),
    weightsSha256: "",
  };
  yield { type: "end", run: "runs/x", weights: "runs/x/weights.safetensors", result };
}

it.each([
  [0, "accuracies after each epoch: of 1,000 training images; none held out\n"],
  [1500, "accuracies after each epoch: of 1,000 held-out images\n"],
])("the images of an epoch's accuracies are named, with %d held out", async (heldOut, line) => {
  async function* begun(): AsyncGenerator<TrainEvent> {
    const steps = { epochs: 1, stepsPerEpoch: 3, step: 0, parameters: 9 };
    yield { type: "start", run: "runs/x", ...steps, validationImages: 1000, heldOut };
  }
  using captured = captureOutput();
  await showTraining(begun(), { verbose: false, goOn: String, next: String });
  expect(captured.stderr.text).toContain(line);
});

it.each([
  [[], "\nover at the end: alarm in epoch 1: 99.0 %"],
  [["constant-output"], "\nalarm in epoch 1: 99.0 %"],
  // Of a run that did not tell.
  [undefined, "\nalarm in epoch 1: 99.0 %"],
] as const)("an alarm is the last word of a run only where it still stands: %j", async (standing, line) => {
  using captured = captureOutput();
  await showTraining(ending(standing && [...standing]), { verbose: false, goOn: String, next: String });
  expect(captured.stderr.text).toContain(line);
});

it.each([
  [false, "98.0 % under FGSM, eps 0.3, but 0.0 % under PGD-20, eps 0.3"],
  [true, "98.0 % under fgsm(epsilon=0.3), but 0.0 % under pgd(epsilon=0.3, steps=20)"],
])("an alarm names attacks as the lines of epochs do, with verbose %j", async (verbose, seen) => {
  const message = `98.0 % under fgsm(epsilon=0.3), but 0.0 % under pgd(epsilon=0.3, steps=20)`;
  const alarm = { type: "alarm", kind: "catastrophic-overfitting", epoch: 3, step: 30, message } as const;
  async function* events(): AsyncGenerator<TrainEvent> {
    yield alarm;
    for await (const event of ending(undefined)) {
      if (event.type === "end") yield { ...event, result: { ...event.result, alarms: [alarm] } };
    }
  }
  using captured = captureOutput();
  await showTraining(events(), { verbose, goOn: String, next: String });
  expect(captured.stderr.text.replace(/\s+/g, " ").split(seen)).toHaveLength(3);
});
