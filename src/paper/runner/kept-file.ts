import { createHash } from "node:crypto";
import type { RunFolder } from "../../training/index.js";

/** File in a run's folder that keeps an answer: its kind, and the hash of all that decides it. */
export function keptFile(folder: RunFolder, kind: "evaluation" | "verdict", decisive: object): string {
  const hash = createHash("sha256").update(JSON.stringify(decisive)).digest("hex");
  return folder.file(`${kind}-${hash.slice(0, 8)}.json`);
}
