// One setup at a time in a checkout: two `npm ci` at once leave a broken node_modules.
import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { SetupError, say } from "./progress.mjs";
import { processStart, stillRuns, workRemains } from "./work.mjs";

/** Beside a lock: who works for its holder. @param {string} file */
const workOf = (file) => `${file}.work`;

/** @type {string | undefined} */
let held;

/** The file in which programs are written down that this process starts; "" while it holds no lock. */
export function workFile() {
  return held === undefined ? "" : workOf(held);
}

/**
 * Runs `step` while holding the lock file, waiting for a process that holds it. The lock of a dead process is
 * taken over, once what it has started has ended too.
 * @template T @param {string} file @param {() => T} step @returns {T}
 */
export function withLock(file, step) {
  makeWritable(dirname(file));
  for (let waited = false; !take(file); ) {
    const holder = holderOf(file);
    if (holder === undefined) continue;
    const alive = stillRuns(holder.pid, holder.started);
    if (!alive && !workRemains(workOf(file))) {
      takeAway(file);
      continue;
    }
    if (!waited) {
      const who = alive ? `process ${holder.pid} is` : "what a killed setup has started is still";
      say(`setup: ${who} setting up this checkout; waiting for it (lock: ${file})`);
    }
    waited = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  held = file;
  try {
    return step();
  } finally {
    held = undefined;
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
    throw new SetupError(`setup: something is missing, and ${folder} cannot be written: ${message}`);
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

/**
 * Takes a dead process's lock away; another that waited may have done so and hold it by now: then it gets it
 * back. @param {string} file
 */
function takeAway(file) {
  const aside = `${file}.${process.pid}.aside`;
  try {
    renameSync(file, aside);
    const holder = holderOf(aside);
    if (holder !== undefined && stillRuns(holder.pid, holder.started)) linkSync(aside, file);
  } catch {
    // It is gone, or somebody was quicker.
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * The process that holds the lock; undefined where it was released just now. @param {string} file @returns
 * {Holder | undefined}
 */
function holderOf(file) {
  try {
    const [pid, started = ""] = readFileSync(file, "utf8").split(" ");
    return { pid: Number(pid), started };
  } catch {
    return undefined;
  }
}
