import { spawnSync } from "node:child_process";

/**
 * Names of the machine's GPUs by NVIDIA's own tool, in its order; undefined where the tool is missing or
 * names none.
 *
 * @param index number of the GPU that is asked for; all where left out
 * @example gpuNames() // ["NVIDIA H200"]
 */
export function gpuNames(index?: number): string[] | undefined {
  const one = index === undefined ? [] : ["-i", String(index)];
  const query = ["--query-gpu=name", "--format=csv,noheader", ...one];
  const { status, stdout } = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 10_000 });
  return status === 0 && stdout.trim() !== "" ? stdout.trim().split(/\s*\n\s*/) : undefined;
}
