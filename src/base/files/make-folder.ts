import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { entryAt, statusAt } from "./status.js";

/**
 * Makes a folder and those above it; one that exists is fine. Throws the file system's Error when that cannot
 * be.
 *
 * One at a time: Node 20's `recursive` never returns where a file system such as /proc answers that there is
 * no such folder.
 */
export function makeFolder(path: string, what = "folder"): void {
  try {
    makeFolders(path);
  } catch (cause) {
    const reason = fileInTheWay(resolve(path)) ?? (cause as Error).message;
    throw new Error(`cannot make the ${what} ${path}: ${reason}`, { cause });
  }
}

/** Says which part of a path is no folder; undefined where all that is there are folders. */
function fileInTheWay(path: string): string | undefined {
  const status = statusAt(path);
  if (status === undefined && entryAt(path) !== undefined) return `${path} is a link to nothing`;
  if (status === undefined) return path === dirname(path) ? undefined : fileInTheWay(dirname(path));
  return status.isDirectory() ? undefined : `${path} is no folder`;
}

/** Throws an Error for a folder that no file can be written into: work is to find out before it begins. */
export function checkWritable(path: string): void {
  const status = statusAt(path);
  const fail = (reason: string, cause?: unknown): never => {
    throw new Error(`cannot write into ${path}: ${reason}`, { cause });
  };
  if (status?.isDirectory() !== true)
    fail(status === undefined ? "there is no such folder" : "it is no folder");
  try {
    accessSync(path, constants.W_OK);
  } catch (cause) {
    fail((cause as Error).message, cause);
  }
}

function makeFolders(path: string): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process may have made it just now.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  // With the folder there already, this only refuses a file of that name.
  mkdirSync(resolve(path), { recursive: true });
}
