import { isAbort, type Work } from "../../../base/index.js";
import type { EvaluationEvent } from "../../../evaluation/index.js";
import type { TableEvent, TableResult, TableShardEvent } from "../../../paper/index.js";
import { tableStyle } from "../../frame/look.js";
import { note, outputWidth } from "../../frame/output.js";
import { Progress } from "../../frame/progress.js";
import { TrainingDisplay } from "../../frame/training/training-display.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import { attackNames } from "../../frame/words/attack-name.js";

/** Display of one run of a table: its training, then a bar for the clean images and for each attack. */
class CellDisplay implements Disposable {
  readonly #cell: string;
  readonly #training: TrainingDisplay;
  #part: { readonly name: string; readonly progress: Progress } | undefined;

  constructor(cell: string) {
    this.#cell = cell;
    this.#training = new TrainingDisplay({ name: cell });
  }

  show(told: Extract<TableEvent, { type: "train" | "evaluate" | "audit" }>): void {
    if (told.type === "train") this.#training.show(told.event);
    else if (told.type === "evaluate") this.#evaluation(told.event);
    else this.#update("audit", Math.round(told.done), Math.round(told.seconds));
  }

  #evaluation(event: EvaluationEvent): void {
    if (event.type !== "progress") {
      this.#part?.progress.finish();
      this.#part = undefined;
      return;
    }
    this.#update(nameOf(event.attack), event.done, event.images);
  }

  #update(name: string, done: number, total: number): void {
    if (this.#part?.name !== name) {
      this.#part?.progress.finish();
      this.#part = { name, progress: new Progress({ label: `${this.#cell}: ${name}`, total }) };
    }
    this.#part.progress.update({ done, total });
  }

  [Symbol.dispose](): void {
    this.#training[Symbol.dispose]();
    this.#part?.progress[Symbol.dispose]();
  }
}

const nameOf = (attack: string) => attackNames([attack]).get(attack)!;

/** Display of a table in the making, of which several runs may be under way. */
export class TableDisplay implements Disposable {
  readonly #cells = new Map<string, CellDisplay>();
  #work: { readonly name: string; readonly progress: Progress } | undefined;

  show(event: TableEvent | TableShardEvent): void {
    if (event.type === "start") {
      const { cells, jobs } = event;
      if (cells.length > 1) note(`${cells.length} runs, ${jobs} at a time`);
    } else if (event.type === "train" || event.type === "evaluate" || event.type === "audit") {
      const display = this.#cells.get(event.cell) ?? new CellDisplay(event.cell);
      this.#cells.set(event.cell, display);
      display.show(event);
    } else if (event.type === "progress") {
      const { work: name, done, total, metrics = {} } = event;
      if (this.#work?.name !== name) {
        this.#work?.progress.finish();
        this.#work = { name, progress: new Progress({ label: name, total }) };
      }
      this.#work.progress.update({ done, metrics });
      if (done === total) this.#work.progress.finish();
    }
  }

  [Symbol.dispose](): void {
    for (const display of this.#cells.values()) display[Symbol.dispose]();
    this.#work?.progress[Symbol.dispose]();
  }
}

/** Table that was made, and the run folders of its runs in the order in which they finished. */
export interface Made {
  /** The whole table, or as much of it as was finished when it was stopped; undefined where no row was. */
  readonly result: TableResult | undefined;
  readonly runs: readonly string[];
}

/** Shows a table in the making, until it is made or stopped. */
export async function showTableWork(work: Work<TableEvent, TableResult>): Promise<Made> {
  using display = new TableDisplay();
  const runs: string[] = [];
  let result: TableResult | undefined;
  for await (const event of usageUntilBegun(work)) {
    if (event.type === "outcome") runs.push(event.outcome.run);
    else if (event.type === "rows") result = event.result;
    else display.show(event);
  }
  try {
    return { result: await work, runs };
  } catch (error) {
    if (isAbort(error)) return { result, runs };
    throw error;
  }
}

/** Table in as many columns as there are. */
export function tableText(result: TableResult): string {
  return result.text({ ...tableStyle(), width: outputWidth() });
}
