import { attackLabel, attacks } from "../../attacks/index.js";
import { type SummaryValue, TensorBoardWriter } from "../../files/index.js";
import { grayLevels, imagePng } from "../../report/index.js";
import type { TrainEvent } from "../events.js";
import type { TrainingSession } from "../session.js";
import type { RunFolder } from "./run-folder.js";
import { storedForm } from "./stored-config.js";

/** Steps whose values are written at once. */
const stepsAtOnce = 100;

/** Short name of an attack that a text stands for. */
function labelOf(text: string): string {
  try {
    return attackLabel(attacks.parse(text));
  } catch {
    // An attack of a user's own that is not registered.
    return text;
  }
}

/**
 * Log of a run for TensorBoard, in its folder `tb`, beside events.jsonl: loss and rate of each step,
 * accuracies of each epoch, a few validation images under the last validation attack, alarms, and the
 * configuration.
 */
export class TensorBoardLog {
  readonly #writer: TensorBoardWriter;
  readonly #session: TrainingSession;
  #waiting = 0;

  /** @param step that the run goes on behind; what an earlier sitting told of later ones is void */
  constructor(session: TrainingSession, folder: RunFolder, step: number) {
    this.#session = session;
    this.#writer = new TensorBoardWriter(folder.file("tb"), step);
    const config = JSON.stringify(storedForm(folder.config), null, 2);
    this.#writer.add(step, [{ tag: "configuration", text: `\`\`\`json\n${config}\n\`\`\`` }]);
    this.#writer.flush();
  }

  /** Logs an event. */
  log(event: TrainEvent): void {
    const values = this.#valuesOf(event);
    if (values.length > 0 && "step" in event) this.#writer.add(event.step, values);
    const isStep = event.type === "step";
    if (isStep && ++this.#waiting < stepsAtOnce) return;
    this.#waiting = 0;
    this.#writer.flush();
  }

  #valuesOf(event: TrainEvent): SummaryValue[] {
    if (event.type === "step") {
      return [
        { tag: "training/loss", scalar: event.loss },
        { tag: "training/learning rate", scalar: event.learningRate },
      ];
    }
    if (event.type === "epoch") {
      return [
        { tag: "training/loss of the epoch", scalar: event.loss },
        { tag: "training/seconds a step", scalar: event.secondsPerStep },
        { tag: "accuracy/clean", scalar: event.clean },
        ...event.validation.map(({ attack, accuracy }) => ({
          tag: `accuracy/${labelOf(attack)}`,
          scalar: accuracy,
        })),
        ...this.#images(event.epoch),
      ];
    }
    if (event.type === "guard") return [{ tag: "guard/alignment", scalar: event.alignment }];
    if (event.type === "alarm" || event.type === "roll-back") {
      const text = event.type === "alarm" ? event.message : `rolled back to step ${event.to}`;
      return [{ tag: "alarms", text: `epoch ${event.epoch}: ${text}` }];
    }
    return [];
  }

  /** Validation images, each clean and under attack beside each other. */
  #images(epoch: number): SummaryValue[] {
    const shape = this.#session.model.inputShape;
    if (shape[0] !== 1 && shape[0] !== 3) return [];
    return this.#session.imagesUnderAttack(epoch).map(({ position, clean, adversarial }) => ({
      tag: `validation images, clean and under attack/${position}`,
      png: imagePng(grayLevels(besides(clean, adversarial, shape)), [shape[0], shape[1], 2 * shape[2]]),
      height: shape[1],
      width: 2 * shape[2],
    }));
  }
}

/** Two images (C, H, W) beside each other, row by row. */
function besides(left: Float32Array, right: Float32Array, shape: readonly [number, number, number]) {
  const width = shape[2];
  const joined = new Float32Array(2 * left.length);
  for (let row = 0; row < left.length / width; row++) {
    joined.set(left.subarray(row * width, (row + 1) * width), 2 * row * width);
    joined.set(right.subarray(row * width, (row + 1) * width), (2 * row + 1) * width);
  }
  return joined;
}
