import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isGone } from "../processes.js";

/** Temporary file of `writeFileAtomic`: `.NAME.PROCESS-RANDOM.tmp`. */
const temporary = /^\.(.+)\.(\d+)-[0-9a-f]{8}\.tmp$/;

/** A writer of another machine, whose processes are not seen from here, takes less for a file. */
const longestWrite = 60_000;

/**
 * Removes the temporary files that killed writers left in a folder. A file counts as left behind when its
 * process is gone from this machine and it is a minute old, or when it is of `own`.
 *
 * @param own tells names of files that the caller alone writes, as by a lock
 */
export function removeAbandoned(folder: string, own: (name: string) => boolean = () => false): void {
  for (const name of listed(folder)) {
    const [, target, pid] = temporary.exec(name) ?? [];
    if (target === undefined || Number(pid) === process.pid) continue;
    const file = join(folder, name);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN);
    const isLeft = own(target) || age > longestWrite;
    if (isLeft && isGone(Number(pid))) rmSync(file, { force: true });
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nothing can be left where nothing can be listed.
    return [];
  }
}
