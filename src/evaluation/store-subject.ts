import * as z from "zod";
import { packageVersion } from "../base/index.js";
import { contentHash, type Split, type TensorSplit } from "../datasets/index.js";
import type { OpenedModel, TrialStore } from "../trials/index.js";
import { modelIdentity } from "./model-hash.js";

/** Name of the store's note. */
const note = "subject";

const noted = z.record(z.string(), z.union([z.string(), z.number()]));

/** A store keeps trials of something else than it is given for. */
export class OtherSubjectError extends RangeError {
  override readonly name = "OtherSubjectError";
}

/** Parts of an evaluation or audit that decide its numbers, and that no trial names. */
export interface StoreSubject {
  /** Its noise is keyed by the word. */
  readonly work: "evaluation" | "audit";
  readonly opened: OpenedModel;
  /** Other models that are attacked, by name. */
  readonly others: Readonly<Record<string, OpenedModel>>;
  readonly split: Split;
  readonly data: TensorSplit;
  readonly seed: number;
}

/**
 * Binds a store to what its trials are of, by a note in it. Other attacks may be added, and other models to
 * transfer from.
 *
 * @throws OtherSubjectError where it keeps trials of another model, other images, another seed or another
 *   version of sqa
 */
export function bindStore(store: TrialStore, subject: StoreSubject): void {
  const { work, opened, others, split, data, seed } = subject;
  const facts: z.output<typeof noted> = {
    "kind of work": work,
    "version of sqa": packageVersion(),
    // First of the images, since a classifier is known by its answers to them.
    "set of images": `${split.count} of SHA-256 ${contentHash(split).slice(0, 12)}`,
    model: modelIdentity(opened, data),
    ...Object.fromEntries(
      Object.entries(others).map(([name, other]) => [`model "${name}"`, modelIdentity(other, data)]),
    ),
    seed,
  };
  const kept = noted.safeParse(store.readNote(note));
  const before = kept.success ? kept.data : {};
  for (const [name, value] of Object.entries(facts)) {
    const known = before[name];
    if (known === undefined || known === value) continue;
    throw new OtherSubjectError(
      `store: it keeps trials of another ${name}: ${known}, not ${value}; give each a store of its own`,
    );
  }
  if (Object.keys(facts).some((name) => before[name] === undefined))
    store.writeNote(note, { ...before, ...facts });
}
