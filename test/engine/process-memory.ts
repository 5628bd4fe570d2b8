import { readFileSync } from "node:fs";

function statusMegabytes(field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line![1]) / 1024;
}

/** Resident memory of this process now, in MiB. */
export const residentMegabytes = () => statusMegabytes("VmRSS");

/** The highest resident memory that this process had, in MiB. */
export const peakMegabytes = () => statusMegabytes("VmHWM");
