import { shortLabel } from "../attacks/index.js";
import type { CellOutcome, ExperimentEvent } from "../paper/index.js";
import { Progress } from "./progress.js";
import { TrainingDisplay } from "./training-display.js";

/** Follows an experiment: each cell's training as `sqa train` shows it, a bar for each evaluation; returns the outcomes. */
export async function followExperiment(events: AsyncIterable<ExperimentEvent>): Promise<CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  let training: { readonly cell: string; readonly display: TrainingDisplay } | undefined;
  let evaluation: { readonly label: string; readonly progress: Progress } | undefined;
  try {
    for await (const happened of events) {
      if (happened.type === "outcome") {
        outcomes.push(happened.outcome);
      } else if (happened.type === "train") {
        const { cell, event } = happened;
        evaluation?.progress.finish();
        if (training?.cell !== cell) training = { cell, display: new TrainingDisplay(cell) };
        training.display.show(event);
      } else if (happened.event.type === "progress") {
        const { attack, done, images } = happened.event;
        const label = `${happened.cell}: ${shortLabel(attack)}`;
        if (evaluation?.label !== label) {
          evaluation?.progress.finish();
          evaluation = { label, progress: new Progress({ label, total: images }) };
        }
        evaluation.progress.update({ done });
      }
    }
    evaluation?.progress.finish();
  } finally {
    training?.display[Symbol.dispose]();
    evaluation?.progress[Symbol.dispose]();
  }
  return outcomes;
}
