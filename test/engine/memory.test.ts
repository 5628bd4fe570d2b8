import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { versions } from "../../src/engine/index.js";

/** Runs a script of this folder in a fresh process and reads the JSON that it prints. */
function measure<T>(script: string, ...flags: string[]): T {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [...flags, path], { encoding: "utf8" })) as T;
}

const compiled = existsSync(new URL("../../dist/engine/index.js", import.meta.url));

test.skipIf(!compiled)("3,000 dropped tensors of 1 MiB peak under 300 MB", () => {
  const { baseline, peak } = measure<{ baseline: number; peak: number }>("dropped-tensors.mjs");
  expect(peak - baseline).toBeLessThan(140);
  // Node with torch 2.13 takes 150 to 160 MB before the first tensor; Debian's libtorch 50 MB more.
  if (versions().libtorch.startsWith("2.")) expect(peak).toBeLessThan(300);
});

test("1,000 training steps leave the live count unchanged and resident memory flat", () => {
  type State = { tensors: number; resident: number };
  const result = measure<{ before: State; after: State; first: number; last: number }>(
    "training-steps.ts",
    "--import",
    "tsx",
  );
  expect(result.after.tensors).toBe(result.before.tensors);
  // A step makes tensors of 2 MB, and the least of them left behind in each step would be 80 MB in all.
  expect(result.after.resident - result.before.resident).toBeLessThan(32);
  expect(result.last).toBeLessThan(result.first);
});

test("freed large tensors are taken again, whatever small ones stay between them, and no more than 1 GiB of them is kept", () => {
  type Memory = { holding: [after10: number, after60: number]; faults: number; freed: number };
  const { holding, faults, freed } = measure<Memory>("freed-memory.ts", "--import", "tsx");
  // A round takes 80 MB. Of the heap of malloc, which the small ones split, 60 rounds held 450 MB more than
  // 10.
  expect(holding[1] - holding[0]).toBeLessThan(60);
  // Two thousand pages a tensor, if it were a new mapping each time.
  expect(faults).toBeLessThan(2_000);
  expect(freed).toBeLessThan(1_100);
});
