import { relative } from "node:path";
import type { TrainEvent } from "../training/index.js";
import { colors, note, out } from "./frame/output.js";
import { formatDuration } from "./frame/progress.js";
import { epochLine, TrainingDisplay } from "./training-display.js";

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

function sayStart({ run, parameters, epochs, stepsPerEpoch, step }: Extract<TrainEvent, { type: "start" }>): void {
  const length = `${counted(epochs * stepsPerEpoch, "step")} in ${counted(epochs, "epoch")}`;
  note(`run ${shownPath(run)}: ${parameters} weights, ${length}`);
  if (step > 0) note(`going on after step ${step}`);
}

function sayEnd({ run, result }: Extract<TrainEvent, { type: "end" }>, trained: boolean): void {
  const { dim, red } = colors("stderr");
  const time = formatDuration(result.seconds);
  note(trained ? `trained in ${time}` : `finished already, in ${time}: ${epochLine(result.last, result.epochs)}`);
  for (const { epoch, message } of result.alarms) note(`${red("alarm")} in epoch ${epoch}: ${message}`);
  out(shownPath(run));
  note(`${dim("next:")} npx sqa evaluate ${quoted(shownPath(run))}`);
}

/** Shows a training run from its start to its folder; `goOn` is the command that goes on with a stopped run. */
export async function showTraining(events: AsyncIterable<TrainEvent>, goOn: (run: string) => string): Promise<void> {
  using display = new TrainingDisplay();
  for await (const event of events) {
    if (event.type === "start") sayStart(event);
    display.show(event, goOn);
    if (event.type === "end") sayEnd(event, display.begun);
  }
}
