import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../errors.js";
import { entryAt, statusAt } from "./status.js";

/** A file's content: text, bytes, or pieces of it one after the other. */
export type FileData = string | Uint8Array | readonly Uint8Array[];

/**
 * Asks the file system to keep the folder's new entry; where it cannot sync a folder, there is no more to do.
 */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch {
  } finally {
    closeSync(descriptor);
  }
}

const piecesOf = (data: FileData) => (typeof data === "string" || data instanceof Uint8Array ? [data] : data);

/** Fault of a folder that is to be written into, in words; undefined where it is one. */
function faultOf(folder: string): string | undefined {
  const status = statusAt(folder);
  if (status === undefined) return `there is no folder ${folder}`;
  return status.isDirectory() ? undefined : `${folder} is no folder`;
}

/**
 * Writes a temporary file beside `path`, synced to the disk, and puts it in place by `place`; it is gone
 * afterwards.
 */
function writeBeside(path: string, data: FileData, place: (temporary: string) => void): void {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`,
  );
  try {
    const descriptor = openSync(temporary, "wx");
    try {
      for (const piece of piecesOf(data)) writeFileSync(descriptor, piece);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    place(temporary);
    syncFolder(dirname(path));
  } catch (error) {
    throw new Error(`cannot write ${path}: ${faultOf(dirname(path)) ?? messageOf(error)}`, { cause: error });
  } finally {
    if (entryAt(temporary) !== undefined) rmSync(temporary, { force: true });
  }
}

/**
 * Replaces a file at once: whoever reads `path`, at any moment and after any crash, finds all of the old or
 * all of the new.
 *
 * Writes the data (or the pieces, one after the other) to a hidden temporary file in the same folder, syncs
 * it to the disk and renames it. A temporary file that a killed process left behind is never read, and does
 * not hinder later writes. Throws an Error that names `path` when the folder is missing or cannot be written;
 * the old file then still stands.
 */
export function writeFileAtomic(path: string, data: FileData): void {
  writeBeside(path, data, (temporary) => renameSync(temporary, path));
}

/** Tells whether a path is a regular file of this content. */
function holds(path: string, data: FileData): boolean {
  const pieces = piecesOf(data).map((piece) => Buffer.from(piece as string));
  const status = entryAt(path);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return (
    status?.isFile() === true && status.size === size && readFileSync(path).equals(Buffer.concat(pieces))
  );
}

/**
 * Links do not replace a file that has come meanwhile; where a file system has none, a look before must do.
 */
function placeNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const without = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(
      (error as NodeJS.ErrnoException).code ?? "",
    );
    if (!without || entryAt(path) !== undefined) throw error;
    renameSync(temporary, path);
  }
}

/**
 * Writes a file of the user's naming at once, as `writeFileAtomic` does, and replaces none but with
 * `replace`.
 *
 * A file of the same content is left as it is. Throws an Error for anything else that is there, which says
 * how to replace it.
 */
export function writeNewFile(path: string, data: FileData, { replace = false } = {}): void {
  if (replace) writeFileAtomic(path, data);
  else if (entryAt(path) === undefined) {
    writeBeside(path, data, (temporary) => placeNew(temporary, path));
  } else if (!holds(path, data)) {
    throw new Error(`${path} is there already, with other content, and is not replaced; --force replaces it`);
  }
}
