import { shortLabel } from "../attacks/index.js";
import type { CellOutcome, ExperimentEvent } from "../paper/index.js";
import { Progress } from "./frame/progress.js";
import { TrainingDisplay } from "./training-display.js";

/** What is shown of a cell: its training, then a bar for each attack. */
class CellDisplay implements Disposable {
  readonly #cell: string;
  readonly #training: TrainingDisplay;
  #attack: { readonly name: string; readonly progress: Progress } | undefined;

  constructor(cell: string) {
    this.#cell = cell;
    this.#training = new TrainingDisplay(cell);
  }

  show(happened: Exclude<ExperimentEvent, { type: "outcome" }>): void {
    if (happened.type === "train") {
      this.#training.show(happened.event);
    } else if (happened.event.type === "end") {
      this.#attack?.progress.finish();
      this.#attack = undefined;
    } else {
      const { attack, done, images } = happened.event;
      if (this.#attack?.name !== attack) {
        this.#attack?.progress.finish();
        this.#attack = {
          name: attack,
          progress: new Progress({ label: `${this.#cell}: ${shortLabel(attack)}`, total: images }),
        };
      }
      this.#attack.progress.update({ done });
    }
  }

  [Symbol.dispose](): void {
    this.#training[Symbol.dispose]();
    this.#attack?.progress[Symbol.dispose]();
  }
}

/** Follows an experiment, of which several cells may be under way; returns the outcomes. */
export async function followExperiment(events: AsyncIterable<ExperimentEvent>): Promise<CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  const displays = new Map<string, CellDisplay>();
  try {
    for await (const happened of events) {
      if (happened.type === "outcome") {
        outcomes.push(happened.outcome);
        continue;
      }
      const display = displays.get(happened.cell) ?? new CellDisplay(happened.cell);
      displays.set(happened.cell, display);
      display.show(happened);
    }
  } finally {
    for (const display of displays.values()) display[Symbol.dispose]();
  }
  return outcomes;
}
