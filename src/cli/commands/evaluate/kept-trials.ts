import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkWritable, makeFolder } from "../../../base/index.js";
import { hasManifests } from "../../../evaluation/index.js";
import { sayStopped } from "../../frame/look.js";
import { note } from "../../frame/output.js";
import { evaluationsFolder } from "./subject.js";

/**
 * Folders of a command's evaluations, kept until all are shown: what is stopped, killed or ends in an error
 * goes on from there.
 */
export class KeptTrials {
  readonly #folders: string[] = [];

  constructor(readonly signal: AbortSignal) {}

  /**
   * Does the work of an evaluation with a folder in which its own lies, without where that cannot be made.
   *
   * @param work calls `begun` with the evaluation's own folder
   */
  async run<T>(
    parent: string,
    work: (folder: string | undefined, begun: (folder: string) => void) => Promise<T>,
  ): Promise<T> {
    try {
      makeFolder(parent);
      checkWritable(parent);
    } catch (error) {
      note(`if it is stopped, the evaluation begins again: ${(error as Error).message}`);
      return work(undefined, () => {});
    }
    const before = this.#folders.length;
    try {
      return await work(parent, (folder) => this.#folders.push(folder));
    } catch (error) {
      if (this.signal.aborted) sayStopped();
      else removeAll(this.#folders.slice(before).filter((folder) => !hasAttacks(folder)));
      throw error;
    }
  }

  /** Removes what was kept, once it is no longer needed. Shards that lie there are left for their merge. */
  forget(): void {
    removeAll(this.#folders.filter((folder) => !hasManifests(folder)));
  }
}

/** Removes folders of trials, and the one for all of them if nothing else is in it. */
function removeAll(folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  const isEmpty = existsSync(evaluationsFolder) && readdirSync(evaluationsFolder).length === 0;
  if (isEmpty) rmSync(evaluationsFolder, { recursive: true });
}

/** Tells whether more than the clean images is kept, which are soon evaluated again. */
function hasAttacks(folder: string): boolean {
  const trials = join(folder, "trials");
  return existsSync(trials) && readdirSync(trials).length > 1;
}
