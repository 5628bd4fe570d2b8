import { relative } from "node:path";
import { shortLabel } from "../attacks/index.js";
import { percent } from "../report/table.js";
import type { EpochEvent, TrainEvent } from "../training/index.js";
import { colors, note, out, warn } from "./output.js";
import { formatDuration, Progress } from "./progress.js";

function epochLine({ epoch, loss, clean, probes, secondsPerStep }: EpochEvent, epochs: number): string {
  const accuracies = probes.map(({ attack, accuracy }) => `${shortLabel(attack)} ${percent(accuracy, 1)} %`);
  const speed = `${(1000 * secondsPerStep).toFixed(1)} ms a step`;
  return [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${loss.toFixed(4)}`,
    `clean ${percent(clean, 1)} %`,
    ...accuracies,
    speed,
  ].join("  ");
}

const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? "" : "s"}`;

/** A path as one types it: relative where that is no detour. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") || near === "" ? path : near;
}

/** A word as the shell takes it. */
export function quoted(word: string): string {
  return /^[\w./=:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function sayEnd({ run, result }: Extract<TrainEvent, { type: "end" }>, trained: boolean): void {
  const { dim, red } = colors("stderr");
  const time = formatDuration(result.seconds);
  note(trained ? `trained in ${time}` : `finished already, in ${time}: ${epochLine(result.last, result.epochs)}`);
  for (const { epoch, message } of result.alarms) note(`${red("alarm")} in epoch ${epoch}: ${message}`);
  out(shownPath(run));
  note(`${dim("next:")} npx sqa evaluate ${quoted(shownPath(run))}`);
}

/** Shows a training run: a progress bar, a line an epoch, alarms; `goOn` is the command that goes on with a stopped run. */
export async function showTraining(events: AsyncIterable<TrainEvent>, goOn: (run: string) => string): Promise<void> {
  const { bold, red, yellow } = colors("stderr");
  let progress: Progress | undefined;
  let epochs = 0;
  try {
    for await (const event of events) {
      if (event.type === "start") {
        epochs = event.epochs;
        const total = epochs * event.stepsPerEpoch;
        note(
          `run ${shownPath(event.run)}: ${event.parameters} weights, ${counted(total, "step")} in ${counted(epochs, "epoch")}`,
        );
        if (event.step > 0) note(`going on after step ${event.step}`);
        progress = new Progress({ label: "training", total, initial: event.step });
      } else if (event.type === "step") {
        const metrics = { loss: event.loss.toFixed(4), rate: event.learningRate.toPrecision(3) };
        progress?.update({ done: event.step, metrics });
      } else if (event.type === "epoch") note(epochLine(event, epochs));
      else if (event.type === "alarm") warn(bold(red(`ALARM in epoch ${event.epoch}: ${event.message}`)));
      else if (event.type === "warning") warn(`${yellow("warning:")} ${event.message}`);
      else if (event.type === "stopped") {
        progress?.[Symbol.dispose]();
        warn(`stopped and saved after step ${event.step}; the same command goes on, or: ${goOn(event.run)}`);
      } else if (event.type === "end") {
        progress?.finish();
        sayEnd(event, progress !== undefined);
      }
    }
  } finally {
    progress?.[Symbol.dispose]();
  }
}
