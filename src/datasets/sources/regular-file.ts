import { statSync } from "node:fs";
import { FileFormatError } from "../../base/index.js";
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

export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
export const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
