import fs, { mkdtempSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import { train } from "../../src/training/index.js";

/** Names of files in the order in which they are written, synced and put in place, until the test ends. */
function watchedFiles(): string[] {
  const { appendFileSync, fsyncSync, renameSync } = fs;
  const calls: string[] = [];
  fs.appendFileSync = (...given) => {
    calls.push(`write ${basename(String(given[0]))}`);
    appendFileSync(...given);
  };
  fs.fsyncSync = (descriptor) => {
    calls.push(`sync ${basename(fs.readlinkSync(`/proc/self/fd/${descriptor}`))}`);
    fsyncSync(descriptor);
  };
  fs.renameSync = (from, to) => {
    calls.push(`place ${basename(String(to))}`);
    renameSync(from, to);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(fs, { appendFileSync, fsyncSync, renameSync });
    syncBuiltinESMExports();
  });
  return calls;
}

test("a checkpoint is put in place once the events that it counts on are on the disk", async () => {
  const runs = mkdtempSync(join(tmpdir(), "sqa-synced-"));
  const data = imagesOf({
    images: Uint8Array.from({ length: 8 * 64 }, (_, i) => i),
    labels: [0, 1, 0, 1, 0, 1, 0, 1],
    shape: [1, 8, 8],
    classes: ["a", "b"],
  });
  const calls = watchedFiles();
  await train({ model: "small", data, method: "standard", epochs: 3, validationAttacks: [] }, { runs });
  const checkpoints = calls.flatMap((call, i) => (call === "place checkpoint.safetensors" ? [i] : []));
  expect(checkpoints).toHaveLength(3);
  for (const place of checkpoints) {
    const before = calls.slice(0, place);
    const written = before.lastIndexOf("write events.jsonl");
    expect(written).toBeGreaterThanOrEqual(0);
    expect(before.lastIndexOf("sync events.jsonl")).toBeGreaterThan(written);
  }
  rmSync(runs, { recursive: true });
});
