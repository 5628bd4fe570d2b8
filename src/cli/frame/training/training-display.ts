import { percent, wrapWords } from "../../../report/index.js";
import type { EpochEvent, TrainEvent } from "../../../training/index.js";
import { sayAlarm, sayWarning, toned } from "../look.js";
import { note, progressStyle, warn } from "../output.js";
import { Progress } from "../progress.js";
import { attackNames, callsShown } from "../words/attack-name.js";

/** Form of an epoch's line: its columns, and attacks as whole calls. */
interface LineForm {
  readonly width: number | undefined;
  readonly verbose: boolean;
}

/** An epoch in a line: its loss, its accuracies and its speed. */
export function epochLine(
  event: EpochEvent,
  epochs: number,
  { width = Number.POSITIVE_INFINITY, verbose = false }: Partial<LineForm> = {},
): string {
  const { epoch, loss, clean, validation, secondsPerStep } = event;
  const names = attackNames(
    validation.map(({ attack }) => attack),
    verbose,
  );
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${loss.toFixed(4)}`,
    `clean ${percent(clean, 1)} %`,
    ...validation.map(({ attack, accuracy }) => `${names.get(attack)} ${percent(accuracy, 1)} %`),
    `${(1000 * secondsPerStep).toFixed(1)} ms a step`,
  ];
  // Lines are broken between figures, not within them.
  const line = parts.map((part) => part.replaceAll(" ", "\u00a0")).join("  ");
  return wrapWords(line, width, 4).join("\n").replaceAll("\u00a0", " ");
}

/**
 * Display of a training run: a progress bar, a line an epoch, alarms and warnings, and the step at which it
 * was stopped. A name, of a run among several, stands before each line; `verbose` shows whole calls.
 */
export class TrainingDisplay implements Disposable {
  readonly #name: string | undefined;
  readonly #verbose: boolean;
  #progress: Progress | undefined;
  #epochs = 0;

  constructor({ name, verbose = false }: { readonly name?: string; readonly verbose?: boolean } = {}) {
    this.#name = name;
    this.#verbose = verbose;
  }

  /** True once the run makes steps: a finished run does not begin. */
  get begun(): boolean {
    return this.#progress !== undefined;
  }

  /**
   * Shows an event; `goOn` gives a command that goes on with the run, where it is another than the user's.
   */
  show(event: TrainEvent, goOn?: (run: string) => string): void {
    const named = (line: string) => (this.#name === undefined ? line : `${this.#name}: ${line}`);
    const { terminal, columns } = progressStyle();
    if (event.type === "start") {
      this.#epochs = event.epochs;
      const label = this.#name === undefined ? "training" : `${this.#name}: train`;
      this.#progress = new Progress({
        label,
        total: event.epochs * event.stepsPerEpoch,
        initial: event.step,
      });
    } else if (event.type === "step") {
      const metrics = { loss: event.loss.toFixed(4), rate: event.learningRate.toPrecision(3) };
      this.#progress?.update({ done: event.step, metrics });
    } else if (event.type === "epoch") {
      const form = { width: terminal ? columns : undefined, verbose: this.#verbose };
      note(named(epochLine(event, this.#epochs, form)));
    } else if (event.type === "alarm")
      sayAlarm(named(`ALARM in epoch ${event.epoch}: ${callsShown(event.message, this.#verbose)}`));
    else if (event.type === "roll-back") {
      const scale = `the method's step is ${event.stepScale} of its own from now on`;
      const back = `rolled back in epoch ${event.epoch} to the weights of step ${event.to}; ${scale}`;
      warn(toned("care", named(back), "stderr"));
    } else if (event.type === "warning") sayWarning(event.message, named(""));
    else if (event.type === "stopped") {
      this.#progress?.[Symbol.dispose]();
      const other = goOn === undefined ? "" : `, or: ${goOn(event.run)}`;
      warn(named(`stopped and saved after step ${event.step}; the same command resumes the run${other}`));
    } else if (event.type === "end") this.#progress?.finish();
  }

  [Symbol.dispose](): void {
    this.#progress?.[Symbol.dispose]();
  }
}
