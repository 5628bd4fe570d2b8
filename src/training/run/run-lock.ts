/// <reference lib="esnext.disposable" preserve="true" />
import { constants, copyFileSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { entryAt, isGone, processStart, readTextFile, stillRuns } from "../../base/index.js";

const ownerSchema = z.object({ pid: z.int().min(1), started: z.string(), host: z.string() });
type Owner = z.output<typeof ownerSchema>;

function readOwner(path: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readTextFile(path)));
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner | undefined): boolean {
  if (owner === undefined) return false;
  // Processes of another machine cannot be seen from here.
  return owner.host !== hostname() || stillRuns(owner.pid, owner.started);
}

/**
 * Keeps a file to one process until it is released. The lock of a process that is gone is taken over.
 *
 * Throws an Error that names the owner when another process, or this one, holds it already.
 */
export class RunLock implements Disposable {
  private constructor(readonly path: string) {}

  static take(path: string, what: string): RunLock {
    const text = JSON.stringify({ pid: process.pid, started: processStart(process.pid), host: hostname() });
    const own = `${path}.${process.pid}`;
    try {
      writeFileSync(own, text);
    } catch (cause) {
      throw new Error(`cannot write ${own}: ${(cause as Error).message}`, { cause });
    }
    try {
      for (;;) {
        // A hard link appears at once and with its content, and never replaces another.
        if (link(own, path)) {
          removeLeft(path);
          return new RunLock(path);
        }
        const owner = readOwner(path);
        if (isAlive(owner)) {
          throw new Error(
            `${what} is in use by process ${owner!.pid} on ${owner!.host}: wait for it or stop it ` +
              `(if it is gone, delete ${path})`,
          );
        }
        if (entryAt(path)?.isDirectory()) {
          throw new Error(`${path} is a folder where ${what} keeps its lock: move it away, or delete it`);
        }
        takeAway(path, `${own}.stale`);
      }
    } finally {
      rmSync(own, { force: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { force: true });
  }
}

/** Removes what killed processes of this machine left beside a lock while they were taking it. */
function removeLeft(path: string): void {
  const left = new RegExp(`^${basename(path)}\\.(\\d+)(\\.stale)?$`);
  for (const name of readdirSync(dirname(path))) {
    const pid = Number(left.exec(name)?.[1]);
    const file = join(dirname(path), name);
    if (Number.isNaN(pid) || pid === process.pid || !isGone(pid)) continue;
    const owner = readOwner(file);
    if (owner === undefined || owner.host === hostname()) rmSync(file, { force: true });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    // Some file systems have no hard links: then the content comes a moment after the file.
    return copyNew(from, to);
  }
}

function copyNew(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes a stale lock; if another process took it over just before, its new lock is put back. An Error for
 * one that cannot be removed, such as another user's in a folder with the sticky bit.
 */
function takeAway(path: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Another process was faster.
    if (code === "ENOENT") return;
    throw new Error(`cannot take over ${path}, whose process is gone: ${message}; delete it`, { cause });
  }
  if (isAlive(readOwner(aside))) link(aside, path);
  rmSync(aside, { force: true });
}
