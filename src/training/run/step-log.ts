import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "../../base/index.js";
import type { TrainEvent } from "../events.js";

type LoggedStep = Omit<Extract<TrainEvent, { type: "step" }>, "type" | "epoch">;

/** Steps of a run that its log keeps at most. */
const mostSteps = 2000;

/**
 * Losses and learning rates of a run in steps.jsonl: of every step, or of every so many in a long run. They
 * are there to be looked at; nothing of a run depends on them.
 */
export class StepLog {
  readonly #every: number;

  constructor(
    readonly file: string,
    totalSteps: number,
  ) {
    this.#every = Math.ceil(totalSteps / mostSteps);
  }

  /** Takes back what a killed run wrote after its checkpoint, and lines that are no steps. */
  rewind(step: number): void {
    if (!existsSync(this.file)) return;
    const lines = readFileSync(this.file, "utf8").split("\n");
    const kept = lines.filter((line) => stepIn(line) <= step);
    writeFileAtomic(this.file, kept.map((line) => `${line}\n`).join(""));
  }

  log(event: LoggedStep): void {
    if (event.step % this.#every !== 0) return;
    try {
      appendFileSync(this.file, `${JSON.stringify(event)}\n`);
    } catch (cause) {
      throw new Error(`cannot write ${this.file}: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Step of a line; NaN where it is none. */
function stepIn(line: string): number {
  try {
    return Number((JSON.parse(line) as LoggedStep).step);
  } catch {
    return Number.NaN;
  }
}
