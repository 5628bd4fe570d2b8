import type { OpenedModel } from "../inputs/model-from.js";
import { note } from "../output.js";
import { quoted, shownPath } from "../shown-path.js";

/** Error for a run that has to be finished first; says what finishes it. */
export const unfinishedError = (run: string) =>
  new Error(`run ${run} is not finished: npx sqa train ${quoted(run)} trains it to its end`);

/** Refuses a model of a run that is not finished. */
export function refuseUnfinished(text: string, { run }: OpenedModel): void {
  if (run?.finished === false) throw unfinishedError(text);
}

/**
 * Says which checkpoint a model is of, where its run is not finished.
 *
 * @param use what becomes of it, such as "evaluated"
 */
export function noteUnfinished({ run }: OpenedModel, use: string): void {
  if (run?.finished !== false) return;
  note(`${shownPath(run.path)} is not finished: its checkpoint after step ${run.steps} is ${use}`);
}
