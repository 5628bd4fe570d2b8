import { readFileSync } from "node:fs";

/**
 * Beginning of a process, in clock ticks since the machine's; "" when it is gone, or /proc does not show it.
 * Tells a reused number apart.
 */
export function processStart(pid: number): string {
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

/** Code of the error that asking for a process ends with; undefined where it answers. */
function askingError(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Tells whether no process has a number. */
export function isGone(pid: number): boolean {
  return askingError(pid) === "ESRCH";
}

/**
 * Tells whether the process of a number that began at `started` still runs. Another user's process counts as
 * running where /proc is mounted so that it hides it.
 */
export function stillRuns(pid: number, started: string): boolean {
  const now = processStart(pid);
  return now === started || (now === "" && askingError(pid) === "EPERM");
}
