import { countText } from "../../../base/index.js";
import type { AlarmKind, TrainEvent } from "../../../training/index.js";
import { sayNext, toned } from "../../frame/look.js";
import { note, out } from "../../frame/output.js";
import { formatDuration } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";
import { epochLine, TrainingDisplay } from "../../frame/training/training-display.js";
import { callsShown } from "../../frame/words/attack-name.js";

function sayStart({
  run,
  parameters,
  epochs,
  stepsPerEpoch,
  step,
  validationImages,
  heldOut,
}: Extract<TrainEvent, { type: "start" }>): void {
  const length = `${countText(epochs * stepsPerEpoch, "step")} in ${countText(epochs, "epoch")}`;
  note(`run ${shownPath(run)}: ${parameters} weights, ${length}`);
  const whose = heldOut > 0 ? "held-out images" : "training images; none held out";
  note(`accuracies after each epoch: of ${validationImages.toLocaleString("en-US")} ${whose}`);
  if (step > 0) note(`going on after step ${step}`);
}

function sayEnd(
  { run, result }: Extract<TrainEvent, { type: "end" }>,
  trained: boolean,
  { verbose, next }: RunCommands,
): void {
  const time = formatDuration(result.seconds);
  note(
    trained
      ? `trained in ${time}, validation not counted`
      : `finished already, in ${time}: ${epochLine(result.last, result.epochs, { verbose })}`,
  );
  for (const { kind, epoch, message } of result.alarms) {
    const text = callsShown(message, verbose);
    // One that ended as the run went on, as in a warm-up, is not its last word.
    const isOver =
      result.standing !== undefined && ofEpochs.includes(kind) && !result.standing.includes(kind);
    note(
      isOver
        ? toned("aside", `over at the end: alarm in epoch ${epoch}: ${text}`, "stderr")
        : `${toned("bad", "alarm", "stderr")} in epoch ${epoch}: ${text}`,
    );
  }
  out(shownPath(run));
  sayNext(next(run));
}

/** Kinds of alarms that are judged by each epoch, and may end. */
const ofEpochs: readonly AlarmKind[] = ["catastrophic-overfitting", "constant-output"];

/**
 * Form of a run's display, and commands that fit the run: the one that goes on with it where it was stopped,
 * and the one to give next.
 */
export interface RunCommands {
  /** Shows attacks in full. */
  readonly verbose: boolean;
  goOn(run: string): string;
  next(run: string): string;
}

/** Type of a run's last event: it says whether the run ended or was stopped. */
type LastEvent = TrainEvent["type"] | undefined;

/** Shows a training run from its start to its folder. */
export async function showTraining(
  events: AsyncIterable<TrainEvent>,
  commands: RunCommands,
): Promise<LastEvent> {
  using display = new TrainingDisplay({ verbose: commands.verbose });
  let last: LastEvent;
  for await (const event of events) {
    last = event.type;
    if (event.type === "start") sayStart(event);
    display.show(event, commands.goOn);
    if (event.type === "end") sayEnd(event, display.begun, commands);
  }
  return last;
}

/** Prints the events of a training run, one JSON object a line. */
export async function printEvents(events: AsyncIterable<TrainEvent>): Promise<LastEvent> {
  let last: LastEvent;
  for await (const event of events) {
    last = event.type;
    out(JSON.stringify(event));
  }
  return last;
}
