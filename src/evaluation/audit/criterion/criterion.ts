import * as z from "zod";
import type { JoinedStore, KeptBatches, Trial, TrialStore } from "../../../trials/index.js";

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

/** Number of batches of attacks that are kept. */
export function countKept(kept: ReadonlyMap<Trial, KeptBatches>): number {
  const attacked = [...kept].filter(([trial]) => trial.attack !== undefined);
  return attacked.flatMap(([, batches]) => batches).filter((batch) => batch !== undefined).length;
}

/**
 * Criteria that the folders of shards have noted, as one list: each with its first time, and the batches that
 * were known in all folders. One that is asked for and that a folder lacks is left out.
 */
export function joinCriteria(store: JoinedStore, require: string): void {
  const lists = store.folderNotes(note).map((one) => noted.safeParse(one).data ?? []);
  const all = lists.flat();
  const missing = lists.some((list) => !list.some((one) => one.require === require));
  const texts = new Set(all.map((one) => one.require));
  if (missing) texts.delete(require);
  const joined = [...texts].map((text): Criterion => {
    const same = all.filter((one) => one.require === text);
    return {
      require: text,
      writtenAt: same.map((one) => one.writtenAt).sort()[0]!,
      batchesBefore: same.reduce((sum, one) => sum + one.batchesBefore, 0),
    };
  });
  store.writeNote(note, joined);
}

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
