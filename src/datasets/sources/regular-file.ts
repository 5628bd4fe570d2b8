import { FileFormatError, statusAt } from "../../base/index.js";
import { fileBytes } from "../../files/index.js";

/** Content of a regular file; a FileFormatError for anything else, and for one of more than `most` bytes. */
export function readRegularFile(path: string, most: number): Uint8Array {
  const source = fileBytes(path);
  if (source.size > most)
    throw new FileFormatError(`${path}: ${source.size} bytes, more than the ${most} that are read`);
  return source.read(0, source.size);
}

/** Largest encoded image that is read. */
export const mostImageBytes = 2 ** 27;

/** Tells what a path leads to: "nothing" for a link to a lost file, or to itself. */
export function kindAt(path: string): "file" | "folder" | "other" | "nothing" {
  const status = statusAt(path);
  if (status === undefined) return "nothing";
  if (status.isFile()) return "file";
  return status.isDirectory() ? "folder" : "other";
}

export const isFolder = (path: string) => kindAt(path) === "folder";
export const isFile = (path: string) => kindAt(path) === "file";
