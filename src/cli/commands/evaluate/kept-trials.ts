import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileSha256, packageVersion } from "../../../base/index.js";
import { FolderStore, OtherSubjectError } from "../../../evaluation/index.js";
import { sayStopped } from "../../frame/look.js";
import { note } from "../../frame/output.js";
import type { Request } from "../shards/request.js";
import { evaluationsFolder } from "./subject.js";

/**
 * Finished batches of a command's evaluations, kept until all are shown: what is stopped, killed or ends in
 * an error finds them again. Images are not kept, for no attack of an evaluation continues another.
 */
export class KeptTrials {
  readonly #folders: string[] = [];

  constructor(
    readonly request: Request,
    readonly signal: AbortSignal,
  ) {}

  /**
   * Does the work of an evaluation with the store of a model; without one where its folder cannot be made.
   *
   * @param model text of the model at the command line
   * @param parent folder in which the store's folder lies
   */
  async run<T>(
    model: string,
    parent: string,
    work: (store: FolderStore | undefined) => Promise<T>,
  ): Promise<T> {
    const folder = join(parent, `evaluation-${this.#hash(model)}`);
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      note(`if it is stopped, the evaluation begins again: ${(error as Error).message}`);
      return work(undefined);
    }
    this.#folders.push(folder);
    const store = new FolderStore(folder, { images: false });
    try {
      return await work(store);
    } catch (error) {
      if (this.signal.aborted) sayStopped();
      else if (!hasAttacks(folder)) remove(folder);
      if (!((error as Error).cause instanceof OtherSubjectError)) throw error;
      note("the model or its images are no longer those of the stopped evaluation, which begins again");
      remove(folder);
      return work(store);
    }
  }

  /** Of all that decides the numbers and that the store does not check itself. */
  #hash(model: string): string {
    const { imports, options } = this.request;
    const modules = imports.map((file) => fileSha256(file));
    return createHash("sha256")
      .update(JSON.stringify([packageVersion(), model, options, modules]))
      .digest("hex")
      .slice(0, 8);
  }

  /** Removes what was kept, once it is no longer needed. */
  forget(): void {
    for (const folder of this.#folders) remove(folder);
  }
}

/** Removes a folder of trials, and the one for all of them if nothing else is in it. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const isEmpty = existsSync(evaluationsFolder) && readdirSync(evaluationsFolder).length === 0;
  if (isEmpty) rmSync(evaluationsFolder, { recursive: true });
}

/** Tells whether more than the clean images is kept, which are soon evaluated again. */
function hasAttacks(folder: string): boolean {
  const trials = join(folder, "trials");
  return existsSync(trials) && readdirSync(trials).length > 1;
}
