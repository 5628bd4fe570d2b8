import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Runs a script of this folder in a fresh process and reads the JSON that it prints. */
function measure<T>(script: string): T {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, ["--import", "tsx", path], { encoding: "utf8" })) as T;
}

test("3,000 dropped tensors of 1 MiB peak under 300 MB, libtorch and all", () => {
  const { baseline, peak } = measure<{ baseline: number; peak: number }>("dropped-tensors.ts");
  process.stdout.write(`dropped tensors: ${baseline.toFixed(0)} MiB before, peak ${peak.toFixed(0)} MiB\n`);
  expect((peak * 2 ** 20) / 1e6).toBeLessThan(300);
});

test("1,000 training steps leave the live count unchanged and resident memory flat", () => {
  type State = { tensors: number; resident: number };
  const result = measure<{ before: State; after: State; first: number; last: number }>("training-steps.ts");
  const { before, after } = result;
  process.stdout.write(`training: ${before.resident.toFixed(1)} MiB before, ${after.resident.toFixed(1)} MiB after\n`);
  expect(after.tensors).toBe(before.tensors);
  expect(after.resident - before.resident).toBeLessThan(8);
  expect(result.last).toBeLessThan(result.first);
});
