import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Asks the file system to keep the folder's new entry; some refuse to sync a folder, and then there is no more to do. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch {
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Replaces a file at once: whoever reads `path`, at any moment and after any crash, finds all of the old or all of the new.
 *
 * Writes the data (or the pieces, one after the other) to a hidden temporary file in the same folder, syncs it to the
 * disk and renames it. A temporary file that a killed process left behind is never read, and does not hinder later writes.
 * Throws an Error that names `path` when the folder is missing or cannot be written; the old file then still stands.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array | readonly Uint8Array[]): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
  const pieces = typeof data === "string" || data instanceof Uint8Array ? [data] : data;
  try {
    const descriptor = openSync(temporary, "wx");
    try {
      for (const piece of pieces) writeFileSync(descriptor, piece);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Error(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
