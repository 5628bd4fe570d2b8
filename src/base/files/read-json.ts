import { FileFormatError } from "../errors.js";
import { readTextFile } from "./read-text.js";

/** Content of a JSON file, not yet checked. FileFormatError that names a file which is none. */
export function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readTextFile(file));
  } catch (cause) {
    if (cause instanceof FileFormatError) throw cause;
    throw new FileFormatError(`${file}: ${(cause as Error).message}`, { cause });
  }
}
