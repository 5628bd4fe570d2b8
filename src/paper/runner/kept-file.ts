import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import * as z from "zod";
import { FileFormatError, firstFault, isObject, readTextFile } from "../../base/index.js";
import type { RunFolder } from "../../training/index.js";

/** File in a run's folder that keeps an answer: its kind, and the hash of all that decides it. */
export function keptFile(folder: RunFolder, kind: "evaluation" | "verdict", decisive: object): string {
  const hash = createHash("sha256").update(JSON.stringify(decisive)).digest("hex");
  return folder.file(`${kind}-${hash.slice(0, 8)}.json`);
}

/** SHA-256 of the files that a run's defenses name, by their texts, as far as they are there. */
function filesOf({ config: { defenses } }: RunFolder): Record<string, string> {
  return Object.fromEntries(
    defenses.flatMap((defense) => {
      const sha256 = defense.fileSha256?.();
      return sha256 === undefined ? [] : [[String(defense), sha256]];
    }),
  );
}

/** Part of a kept answer that names the files of the run's defenses, if they have any. */
export function keptFiles(folder: RunFolder): { readonly files?: Record<string, string> } {
  const files = filesOf(folder);
  return Object.keys(files).length === 0 ? {} : { files };
}

/**
 * Reads what a file keeps; undefined where there is none, or where it is of other files than those that the
 * run's defenses name now.
 *
 * @param read takes the file's JSON; its errors are those of a damaged file
 * @param again work that makes the answer anew once the file is deleted
 * @throws FileFormatError that names a damaged file
 */
export function readKept<Kept>(
  folder: RunFolder,
  file: string,
  read: (json: unknown) => Kept,
  again: "evaluate" | "audit",
): Kept | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const json = JSON.parse(readTextFile(file)) as unknown;
    return isOfOtherFiles(folder, json) ? undefined : read(json);
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? firstFault(cause) : (cause as Error).message;
    throw new FileFormatError(`${file}: ${problem}; delete the file to ${again} again`, { cause });
  }
}

/**
 * Tells whether a kept answer is of other files than those that a run's defenses name now, as of a part that
 * was trained again. What an earlier version kept names none, and neither does a file that is gone.
 */
function isOfOtherFiles(folder: RunFolder, kept: unknown): boolean {
  const known = isObject(kept) && isObject(kept.files) ? kept.files : {};
  return Object.entries(filesOf(folder)).some(([defense, sha256]) => (known[defense] ?? sha256) !== sha256);
}
