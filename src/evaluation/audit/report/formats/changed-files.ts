import { dirname, join } from "node:path";
import { fileSha256, readTextFile, statusAt } from "../../../../base/index.js";

/** Bytes of SHA256SUMS, which names three files. */
const mostBytes = 2 ** 16;

/** Line of `sha256sum`, such as `0a1b...  audit.json`. */
const sumLine = /^([0-9a-f]{64}) [ *](\S+)$/;

/**
 * Names of a report's files that are not those of SHA256SUMS beside them, as where one was edited; none where
 * there are no sums.
 *
 * @param path of audit.json, or of the folder that has it
 */
export function changedFiles(path: string): string[] {
  const folder = statusAt(path)?.isDirectory() === true ? path : dirname(path);
  const file = join(folder, "SHA256SUMS");
  if (statusAt(file)?.isFile() !== true) return [];
  return readTextFile(file, mostBytes)
    .split("\n")
    .flatMap((line) => {
      const [, sum, name] = sumLine.exec(line) ?? [];
      if (name === undefined || name.startsWith("/") || name.includes("..")) return [];
      const named = join(folder, name);
      return statusAt(named)?.isFile() === true && fileSha256(named) !== sum ? [name] : [];
    });
}
