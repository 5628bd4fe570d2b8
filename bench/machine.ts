import { spawnSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { bf16Support } from "../src/cli/machine.js";
import { cpuFlags } from "../src/engine/index.js";

/** What times depend on. */
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
    bfloat16: bf16Support(cpuFlags()),
    threads,
    loadAtStart,
    loadAtEnd: loadavg()[0]!,
    node: process.versions.node,
  };
}

/** Why the interpreter cannot be a peer; undefined where it can. */
export function peersProblem(python: string): string | undefined {
  const { status, error } = spawnSync(python, ["-c", "import torch"], { stdio: "ignore" });
  if (status === 0) return undefined;
  const what = error === undefined ? "has no torch" : "cannot be run";
  return `not measured: ${python} ${what} (PYTHON or --python names another interpreter)`;
}
