import { countText } from "../../../base/index.js";
import type { PartEvent } from "../../../training/index.js";
import { sayNext } from "../../frame/look.js";
import { note, out, warn } from "../../frame/output.js";
import { formatDuration, Progress } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";

/** Words of a part's display. */
export interface PartWords {
  /** The measure's name, and its number as people read it. */
  readonly measure: string;
  shown(measure: number): string;
  /** Command to give next, once the part lies in a folder. */
  next(folder: string): string;
}

/** Shows the training of a part of a defense, from its start to its folder. */
export async function showPart(
  events: AsyncIterable<PartEvent>,
  { measure, shown, next }: PartWords,
): Promise<void> {
  let progress: Progress | undefined;
  let epochs = 0;
  try {
    for await (const event of events) {
      if (event.type === "start") {
        const total = event.epochs * event.stepsPerEpoch;
        epochs = event.epochs;
        note(`folder ${shownPath(event.run)}: ${event.parameters} weights, ${countText(total, "step")}`);
        if (event.step > 0) note(`going on after step ${event.step}`);
        progress = new Progress({ label: "training", total, initial: event.step });
      } else if (event.type === "step") {
        const metrics = { loss: event.loss.toFixed(4), rate: event.learningRate.toPrecision(3) };
        progress?.update({ done: event.step, metrics });
      } else if (event.type === "epoch") {
        const figures = `loss ${event.loss.toFixed(4)}  ${measure} ${shown(event.measure)}`;
        note(`epoch ${event.epoch}/${epochs}  ${figures}`);
      } else if (event.type === "stopped") {
        progress?.[Symbol.dispose]();
        warn(`stopped and saved after step ${event.step}; the same command resumes it`);
      } else if (event.type === "end") {
        progress?.finish();
        const { result } = event;
        const done = progress === undefined ? "finished already, in" : "trained in";
        note(`${done} ${formatDuration(result.seconds)}: ${measure} ${shown(result.measure)}`);
        out(shownPath(event.run));
        sayNext(next(shownPath(event.run)));
      }
    }
  } finally {
    progress?.[Symbol.dispose]();
  }
}
