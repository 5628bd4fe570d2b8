import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpuFlags } from "../../src/engine/index.js";

/** Output of a program beside this file, where another instruction set computes. */
export interface Elsewhere {
  readonly values: number[][];
  /** Tells whether both sets have a fused multiply-add, and so the same bits; the portable code has none. */
  readonly isFused: boolean;
}

/** Runs a program that prints lists of numbers with kernels of another instruction set. */
export function onInstructionSet(capability: string, program: string): Elsewhere {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const env = { ...process.env, ATEN_CPU_CAPABILITY: capability };
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", file], {
    env,
    encoding: "utf8",
  });
  if (stderr !== "") throw new Error(stderr);
  const isFused =
    [capability, process.env.ATEN_CPU_CAPABILITY].every((name) => name !== "default") &&
    ["avx2", "fma"].every((flag) => cpuFlags().includes(flag));
  return { values: JSON.parse(stdout) as number[][], isFused };
}
