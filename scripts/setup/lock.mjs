// One set-up at a time in a checkout: two `npm ci` at once leave a broken node_modules.
import { accessSync, constants, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SetupError, say } from "./progress.mjs";

/**
 * Runs `step` while holding the lock file, waiting for a process that holds it; the lock of a dead process is taken over.
 * @template T @param {string} file @param {() => T} step @returns {T}
 */
export function withLock(file, step) {
  makeWritable(dirname(file));
  for (let waited = false; !take(file); waited = true) {
    const holder = holderOf(file);
    if (holder === undefined) continue;
    if (!stillHolds(holder)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!waited) say(`set-up: process ${holder.pid} is setting up this checkout; waiting for it (lock: ${file})`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return step();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Makes the lock's folder; throws SetupError where this user may not write there. @param {string} folder */
function makeWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new SetupError(`set-up: something is missing, and ${folder} cannot be written: ${message}`);
  }
}

/** @typedef {{ pid: number, started: string }} Holder */

/** Takes the lock if it is free: a hard link appears at once and with its content. @param {string} file */
function take(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${processStart(process.pid)}`);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** The process that holds the lock; undefined where it was released just now. @param {string} file @returns {Holder | undefined} */
function holderOf(file) {
  try {
    const [pid, started = ""] = readFileSync(file, "utf8").split(" ");
    return { pid: Number(pid), started };
  } catch {
    return undefined;
  }
}

/** When a process began, in clock ticks since the machine did; "" when it is gone. @param {number} pid */
function processStart(pid) {
  try {
    // The command's name, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return fields.split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** Whether the holder still runs: numbers are used again, in a container often by the same program. @param {Holder} holder */
function stillHolds({ pid, started }) {
  return started !== "" && processStart(pid) === started;
}

/** Whether a process of this number runs. @param {number} pid */
export function isAlive(pid) {
  return processStart(pid) !== "";
}
