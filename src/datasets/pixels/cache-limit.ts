import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { processStart, stillRuns } from "../../base/index.js";

/** Bytes that decoded images may take on the disk, where the environment says nothing. */
const usualLimit = 50e9;
const variable = "SQA_PIXEL_CACHE_GB";

/** Marks of other machines, whose processes are not seen from here, count for a day since their last use. */
const longestUnseen = 24 * 3_600_000;

/** Bytes that the folder of decoded images may take, but for data sets in use. */
export function pixelCacheLimit(): number {
  const text = process.env[variable];
  if (text === undefined || text === "") return usualLimit;
  const gigabytes = Number(text);
  if (gigabytes > 0) return gigabytes * 1e9;
  throw new RangeError(`${variable}: "${text}" is no number of gigabytes above 0, such as 20`);
}

const marksOf = (folder: string) => join(folder, "users");
const listed = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Files of this process's marks, which it removes as it ends. */
const marks = new Set<string>();
process.once("exit", () => {
  for (const file of marks) rmSync(file, { force: true });
});

/** Mark of this process on a data set's folder: as long as it lives, the folder stays. */
export class UseMark {
  readonly #folder: string;
  readonly #file: string;
  #renewed = 0;

  /** @param folder of a data set, which is made where it is missing */
  constructor(folder: string) {
    this.#folder = marksOf(folder);
    this.#file = join(this.#folder, `${process.pid}-${processStart(process.pid)}-${hostname()}`);
    this.renew();
    marks.add(this.#file);
  }

  /** Tells other machines, at most once an hour, that the folder is in use. */
  renew(): void {
    const now = Date.now();
    if (now - this.#renewed < 3_600_000) return;
    this.#renewed = now;
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#file, "");
    const date = new Date(now);
    utimesSync(this.#folder, date, date);
  }
}

/** Tells whether a process has a data set's folder in use; marks of processes that are gone are removed. */
function isInUse(folder: string): boolean {
  return listed(marksOf(folder)).some((name) => {
    const [, pid, started, host] = /^(\d+)-(\d*)-(.+)$/.exec(name) ?? [];
    const file = join(marksOf(folder), name);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const isLive = host === hostname() ? stillRuns(Number(pid), started!) : age < longestUnseen;
    if (!isLive) rmSync(file, { force: true });
    return isLive;
  });
}

/** Bytes on the disk, and the time of the last use. */
function sizeOf(folder: string): { readonly bytes: number; readonly used: number } {
  const files = listed(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false }));
  return {
    // Blocks: what was never written of a file takes no room.
    bytes: files.reduce((sum, file) => sum + (file?.isFile() ? file.blocks * 512 : 0), 0),
    used: Math.max(0, ...files.map((file) => file?.mtimeMs ?? 0)),
  };
}

/** Removes a data set's folder, unless a process begins to use it meanwhile. */
function remove(folder: string): boolean {
  const aside = `${folder}.removed-${process.pid}`;
  try {
    renameSync(folder, aside);
    if (isInUse(aside)) {
      renameSync(aside, folder);
      return false;
    }
    rmSync(aside, { recursive: true, force: true });
    return true;
  } catch {
    // Another process removes it, or its new user has made it anew.
    rmSync(aside, { recursive: true, force: true });
    return false;
  }
}

/**
 * Removes data sets that no process uses, the longest unused first, until all take no more than the limit.
 * Those in use stay, whatever they take.
 */
export function keepWithin(cache: string, limit: number): void {
  const found = listed(cache).map((name) => ({ folder: join(cache, name), ...sizeOf(join(cache, name)) }));
  let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { folder, bytes } of found.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return;
    if (!isInUse(folder) && remove(folder)) total -= bytes;
  }
}
