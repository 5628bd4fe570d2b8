import { labelOf } from "../../attacks/index.js";
import { type SummaryValue, TensorBoardWriter } from "../../files/index.js";
import type { TrainEvent } from "../events.js";
import type { RunFolder } from "./run-folder.js";
import type { RunPictures } from "./run-pictures.js";
import type { Standing } from "./standing.js";
import { storedForm } from "./stored-config.js";

/** Steps whose values are written at once. */
const stepsAtOnce = 100;

/**
 * Log of a run for TensorBoard, in its folder `tb`, beside events.jsonl: loss and rate of each step,
 * accuracies of each epoch, a few validation images under the last validation attack, alarms, and the
 * configuration.
 */
export class TensorBoardLog {
  readonly #writer: TensorBoardWriter;
  readonly #pictures: RunPictures;
  #waiting = 0;

  /** @param standing of the run when it goes on: what an earlier sitting told of later steps is void */
  constructor(folder: RunFolder, { pictures, progress: { step } }: Standing) {
    this.#pictures = pictures;
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
          tag: `accuracy/${labelOf(attack) ?? attack}`,
          scalar: accuracy,
        })),
        ...this.#images(),
      ];
    }
    if (event.type === "guard") return [{ tag: "guard/alignment", scalar: event.alignment }];
    if (event.type === "alarm" || event.type === "roll-back") {
      const text = event.type === "alarm" ? event.message : `rolled back to step ${event.to}`;
      return [{ tag: "alarms", text: `epoch ${event.epoch}: ${text}` }];
    }
    return [];
  }

  /** Pictures of the epoch's validation images under attack; their tags stay from epoch to epoch. */
  #images(): SummaryValue[] {
    return this.#pictures.latest.map(({ position, png, height, width }) => ({
      tag: `validation images: clean, change, under attack/${position}`,
      png,
      height,
      width,
    }));
  }
}
