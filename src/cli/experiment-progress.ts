import { shortLabel } from "../attacks/index.js";
import type { CellOutcome, ExperimentEvent } from "../paper/index.js";
import { percent } from "../report/table.js";
import type { TrainEvent } from "../training/index.js";
import { note, warn } from "./output.js";
import { Progress } from "./progress.js";

/** Follows an experiment: a bar for each training and evaluation, a line for each epoch, alarm and warning; returns the outcomes. */
export async function followExperiment(events: AsyncIterable<ExperimentEvent>): Promise<CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  let progress: Progress | undefined;
  let shown = "";
  /** The bar of one piece of work; another piece ends the bar before. */
  const bar = (label: string, total: number, initial = 0): Progress => {
    if (shown !== label) {
      progress?.finish();
      progress = new Progress({ label, total, initial });
      shown = label;
    }
    return progress!;
  };
  try {
    for await (const happened of events) {
      if (happened.type === "outcome") outcomes.push(happened.outcome);
      else if (happened.type === "evaluate" && happened.event.type === "progress") {
        const { attack, done, images } = happened.event;
        bar(`${happened.cell}: ${shortLabel(attack)}`, images).update({ done });
      } else if (happened.type === "train") {
        const { event, cell } = happened;
        if (event.type === "start") bar(`${cell}: train`, event.epochs * event.stepsPerEpoch, event.step);
        if (event.type === "step") progress?.update({ done: event.step, metrics: { loss: event.loss.toFixed(3) } });
        if (event.type === "stopped") progress?.[Symbol.dispose]();
        const line = trainLine(cell, event);
        if (line !== undefined) (event.type === "alarm" || event.type === "warning" ? warn : note)(line);
      }
    }
    progress?.finish();
  } finally {
    progress?.[Symbol.dispose]();
  }
  return outcomes;
}

function trainLine(cell: string, event: TrainEvent): string | undefined {
  if (event.type === "alarm") return `${cell}: ALARM, ${event.kind}, epoch ${event.epoch}: ${event.message}`;
  if (event.type === "stopped") return `${cell}: stopped at step ${event.step}; the same command goes on from there`;
  if (event.type === "warning") return `${cell}: warning: ${event.message}`;
  if (event.type !== "epoch") return undefined;
  const probes = event.probes.map(({ attack, accuracy }) => `${shortLabel(attack)} ${percent(accuracy, 1)}`);
  const seconds = `${event.seconds.toFixed(0)} s`;
  return `${cell}: epoch ${event.epoch}, loss ${event.loss.toFixed(3)}, clean ${percent(event.clean, 1)}, ${probes.join(", ")}, ${seconds}`;
}
