import { spawnSync } from "node:child_process";

/** Returns why an interpreter cannot run the PyTorch peers; undefined where it can. */
export function peersProblem(python: string): string | undefined {
  const { status, error } = spawnSync(python, ["-c", "import torch"], { stdio: "ignore" });
  if (status === 0) return undefined;
  const what = error === undefined ? "has no torch" : "cannot be run";
  return `not measured: ${python} ${what} (PYTHON or --python names another interpreter)`;
}
