// Who is at work for setup, beside setup itself: programs that could outlive it.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Time at which a process began, in clock ticks since the machine did; "" when it is gone. As
 * src/base/processes.ts, which is not compiled yet. @param {number} pid
 */
export function processStart(pid) {
  try {
    // The command's name, in parentheses, may hold spaces; a zombie (Z) holds nothing any more.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** Tells whether a process of this number runs. @param {number} pid */
export function isAlive(pid) {
  return processStart(pid) !== "";
}

/**
 * Tells whether a process that began then still runs: numbers are used again, in a container often by the
 * same program. @param {number} pid @param {string} started
 */
export function stillRuns(pid, started) {
  return started !== "" && processStart(pid) === started;
}

/**
 * Writes down the supervisor and, once there is one, the leader of its program's group. @param {string} file
 * @param {number[]} pids
 */
export function recordWork(file, pids) {
  if (file === "") return;
  writeFileSync(`${file}.new`, pids.map((pid) => `${pid} ${processStart(pid)}`).join("\n"));
  renameSync(`${file}.new`, file);
}

/**
 * Tells whether work that a killed setup left is still going on. Its supervisor ends it; where that was
 * killed too, it is ended here.
 * @param {string} file
 */
export function workRemains(file) {
  const [supervisor, leader] = readRecord(file);
  if (supervisor === undefined) return false;
  if (stillRuns(...supervisor)) return true;
  if (leader !== undefined && stillRuns(...leader)) {
    signalGroup(leader[0], "SIGKILL");
    return true;
  }
  rmSync(file, { force: true });
  return false;
}

/** @param {string} file @returns {[number, string][]} */
function readRecord(file) {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => [Number(line.split(" ")[0]), line.split(" ")[1] ?? ""]);
  } catch {
    return [];
  }
}

/** @param {number} leader @param {NodeJS.Signals | 0} signal */
function signalGroup(leader, signal) {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends a process group: make takes half of an object file away when it is asked to stop; what does not listen
 * is killed. @param {number} leader
 */
export async function endGroup(leader) {
  const pause = () => new Promise((done) => setTimeout(done, 50));
  for (const [signal, seconds] of /** @type {const} */ ([
    ["SIGTERM", 3],
    ["SIGKILL", 2],
  ])) {
    signalGroup(leader, signal);
    // The dead that nobody waits for still count as a group's members: hence a limit.
    for (let turn = 0; turn < seconds * 20 && signalGroup(leader, 0); turn++) await pause();
  }
}
