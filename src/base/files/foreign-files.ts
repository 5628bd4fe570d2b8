import { join } from "node:path";
import { entryAt } from "./status.js";

/** Refusal to replace a file that someone else made: the message names it, and the ways out. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
}

const none: ReadonlySet<string> = new Set();

/**
 * Refuses a folder in which a file that someone else made would be replaced.
 *
 * @param names paths in the folder that are to be written
 * @param own those that an earlier output of ours wrote there, and that may be replaced
 * @throws ForeignFileError that names the first other file that is there, and says how to go on
 */
export function refuseForeign(folder: string, names: Iterable<string>, own = none): void {
  for (const name of names) {
    const path = join(folder, name);
    if (own.has(name) || entryAt(path) === undefined) continue;
    throw new ForeignFileError(
      `${path} is there already, is no result that this version of sqa reads, and is not replaced: give ` +
        "another folder, or --force to replace it",
    );
  }
}
