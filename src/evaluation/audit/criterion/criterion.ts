import * as z from "zod";
import type { TrialStore } from "../../../trials/index.js";

/** Criterion as it was written down. */
export interface Criterion {
  readonly require: string;
  /** Time of writing, in ISO 8601. */
  readonly writtenAt: string;
  /** Batches of attacks whose outcome was there already: 0 for a criterion of before the first attack. */
  readonly batchesBefore: number;
}

const noted = z.array(
  z.strictObject({ require: z.string(), writtenAt: z.iso.datetime(), batchesBefore: z.int().min(0) }),
);

/** Name of the note, so of the file `criterion.json` in an audit's folder. */
const note = "criterion";

/**
 * Writes a criterion down beside the trials, before any of them runs. Criteria of earlier sittings stay: one
 * that was written before keeps its time, another is added, with the number of batches that were known.
 *
 * @returns the criterion, and the others that were written for the same audit
 */
export function writeCriterion(
  store: TrialStore,
  require: string,
  batchesBefore: number,
  now: Date = new Date(),
): { readonly criterion: Criterion; readonly others: readonly Criterion[] } {
  const read = noted.safeParse(store.readNote(note));
  const before = read.success ? read.data : [];
  const known = before.find((one) => one.require === require);
  const criterion = known ?? { require, writtenAt: now.toISOString(), batchesBefore };
  if (known === undefined) store.writeNote(note, [...before, criterion]);
  return { criterion, others: before.filter((one) => one !== known) };
}
