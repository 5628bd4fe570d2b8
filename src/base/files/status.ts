import { lstatSync, statSync } from "node:fs";

/** Kind, size and age of what lies at a path, so that programs need no types of Node's. */
export interface FileStatus {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * Codes of errors that say that there is nothing: also below a file, behind a link to itself, and under a
 * name that is too long for any file.
 */
const nothing: readonly (string | undefined)[] = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

function attempt(look: () => FileStatus): FileStatus | undefined {
  try {
    return look();
  } catch (error) {
    if (nothing.includes((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

/** Status of what a path leads to; undefined where it leads to nothing. */
export function statusAt(path: string): FileStatus | undefined {
  return attempt(() => statSync(path));
}

/** Status of what lies at a path, of a link its own; undefined where nothing does. */
export function entryAt(path: string): FileStatus | undefined {
  return attempt(() => lstatSync(path));
}
