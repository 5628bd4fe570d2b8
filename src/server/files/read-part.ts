import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";

/** Bytes of a file, and the file's state when they were read. */
export interface Part {
  readonly bytes: Buffer;
  /** Place of the first byte. */
  readonly from: number;
  readonly stats: Stats;
}

/**
 * Bytes of a regular file from a place on, at most so many; a negative place counts from the end. Undefined
 * where there is no such file. A pipe or device in its place is not waited for, and a link not followed.
 */
export function readPart(path: string, from: number, most: number): Part | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return undefined;
    const begin = from < 0 ? Math.max(0, stats.size + from) : Math.min(from, stats.size);
    const bytes = Buffer.alloc(Math.min(most, stats.size - begin));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(file, bytes, done, bytes.length - done, begin + done);
      if (count === 0) break;
      done += count;
    }
    return { bytes: bytes.subarray(0, done), from: begin, stats };
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Whole file of at most so many bytes; undefined where there is none, or it is longer. */
export function readWhole(path: string, most: number): Buffer | undefined {
  const part = readPart(path, 0, most);
  return part === undefined || part.stats.size > most ? undefined : part.bytes;
}
