import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import { train } from "../../src/training/index.js";

/** Names of files in the order in which they were written, synced and put in place. */
const { calls } = vi.hoisted(() => ({ calls: [] as string[] }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return {
    ...fs,
    appendFileSync: (...given: Parameters<typeof fs.appendFileSync>) => {
      calls.push(`write ${basename(String(given[0]))}`);
      return fs.appendFileSync(...given);
    },
    fsyncSync: (descriptor: number) => {
      calls.push(`sync ${basename(fs.readlinkSync(`/proc/self/fd/${descriptor}`))}`);
      return fs.fsyncSync(descriptor);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`place ${basename(to)}`);
      return fs.renameSync(from, to);
    },
  };
});

test("a checkpoint is put in place once the events that it counts on are on the disk", async () => {
  const runs = mkdtempSync(join(tmpdir(), "sqa-synced-"));
  const data = imagesOf({
    images: Uint8Array.from({ length: 8 * 64 }, (_, i) => i),
    labels: [0, 1, 0, 1, 0, 1, 0, 1],
    shape: [1, 8, 8],
    classes: ["a", "b"],
  });
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
