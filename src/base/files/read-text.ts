import { readFileSync } from "node:fs";
import { FileFormatError, MissingFileError, messageOf } from "../errors.js";
import { statusAt } from "./status.js";

/** Text files of this project's kind hold no more; a longer one would be read for minutes. */
const mostBytes = 2 ** 28;

/**
 * Returns a text file's content.
 *
 * @param most bytes that it may have
 * @throws MissingFileError for a file that is not there, FileFormatError for one that is too long or that is
 *   no regular file (a pipe would be waited for without end)
 */
export function readTextFile(path: string, most = mostBytes): string {
  const fail = (problem: string, cause?: unknown): never => {
    throw new FileFormatError(`cannot read ${path}: ${problem}`, { cause });
  };
  try {
    // Asked before opening: to open a pipe would wait for its writer.
    const status = statusAt(path);
    if (status === undefined) throw new MissingFileError(`cannot read ${path}: there is no such file`);
    if (status.isDirectory()) return fail("it is a folder");
    if (!status.isFile()) return fail("it is no regular file; give a file that holds the text");
    if (status.size > most) return fail(`it has ${status.size} bytes, more than ${most} are not read`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof FileFormatError) throw cause;
    return fail(messageOf(cause), cause);
  }
}
