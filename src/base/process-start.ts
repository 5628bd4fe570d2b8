import { readFileSync } from "node:fs";

/**
 * Beginning of a process, in clock ticks since the machine's; "" when it is gone. Tells a reused number
 * apart.
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
