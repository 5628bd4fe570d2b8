import { FileFormatError } from "../../base/index.js";
import type { Tensor } from "../../engine/index.js";
import type { BatchRecord } from "../batch-record.js";
import type { Trial } from "../trial.js";
import { FolderStore } from "./folder-store.js";
import { type BatchPlace, type BatchPlan, MemoryStore, type TrialStore } from "./store.js";

/**
 * Reads trials out of several folders, each of which has some of the batches. What is written stays in
 * memory.
 */
export class JoinedStore implements TrialStore {
  readonly keepsImages: boolean;
  readonly #folders: readonly FolderStore[];
  readonly #memory: MemoryStore;
  readonly #unfinished: ReadonlySet<string>;

  /** @param unfinished ids of the trials whose batches may be missing, since they ended in an error */
  constructor(
    folders: readonly string[],
    unfinished: ReadonlySet<string> = new Set(),
    { images = true }: { readonly images?: boolean } = {},
  ) {
    this.keepsImages = images;
    this.#memory = new MemoryStore({ images });
    this.#folders = folders.map((folder) => new FolderStore(folder, { images }));
    this.#unfinished = unfinished;
  }

  #holder(trial: Trial, place: BatchPlace): FolderStore | undefined {
    return this.#folders.find((store) => store.has(trial, place));
  }

  has(trial: Trial, place: BatchPlace): boolean {
    return this.#holder(trial, place) !== undefined || this.#memory.has(trial, place);
  }

  /** FileFormatError where no folder has a batch that there must be. */
  read(trial: Trial, plan: BatchPlan): BatchRecord | undefined {
    const holder = this.#holder(trial, plan);
    if (holder !== undefined) return holder.read(trial, plan);
    const kept = this.#memory.read(trial, plan);
    if (kept !== undefined || this.#unfinished.has(trial.id)) return kept;
    const { first, count } = plan;
    const what =
      count === 1
        ? `image ${first} of ${trial.id} is missing: run its shard again`
        : `images ${first} to ${first + count - 1} of ${trial.id} are missing: run their shard again`;
    throw new FileFormatError(`${this.#folders.map(({ folder }) => folder).join(", ")}: ${what}`);
  }

  write(trial: Trial, place: BatchPlace, record: BatchRecord, images: Tensor | undefined): void {
    this.#memory.write(trial, place, record, images);
  }

  /** Forgets what was written; the folders stay as they are. */
  remove(trial: Trial, place: BatchPlace): void {
    this.#memory.remove(trial, place);
  }

  images(trial: Trial, place: BatchPlace): Tensor {
    return (this.#holder(trial, place) ?? this.#memory).images(trial, place);
  }

  /** Notes of a name, as each folder has it. */
  folderNotes(name: string): unknown[] {
    return this.#folders.map((store) => store.readNote(name));
  }

  readNote(name: string): unknown {
    return this.#memory.readNote(name);
  }

  writeNote(name: string, note: unknown): void {
    this.#memory.writeNote(name, note);
  }
}
