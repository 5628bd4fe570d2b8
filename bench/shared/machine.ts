import { cpus, loadavg } from "node:os";
import { bfloat16Support, cpuFlags } from "../../src/engine/index.js";

/** Facts that times depend on. */
export interface Machine {
  readonly cpu: string;
  readonly bfloat16: string;
  readonly threads: number;
  readonly loadAtStart: number;
  readonly loadAtEnd: number;
  readonly node: string;
}

/** The machine at the end of a benchmark that began at a load. */
export function machineNow(threads: number, loadAtStart: number): Machine {
  return {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    bfloat16: bfloat16Support(cpuFlags()),
    threads,
    loadAtStart,
    loadAtEnd: loadavg()[0]!,
    node: process.versions.node,
  };
}
