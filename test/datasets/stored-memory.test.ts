import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test, vi } from "vitest";
import { imagesFrom, prepareImages, subset, TensorSplit } from "../../src/datasets/index.js";
import { scope } from "../../src/engine/index.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-memory-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));

test("need not fit in memory: 3,000 of 224 pixels take at most 120 MB", async () => {
  const folder = join(parent, "large");
  const side = 224;
  const data = Buffer.alloc(side * side * 3, 90);
  const image = await sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .jpeg()
    .toBuffer();
  for (const name of ["a", "b"]) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "0.jpg"), image);
    for (let i = 1; i < 1500; i++) copyFileSync(join(folder, name, "0.jpg"), join(folder, name, `${i}.jpg`));
  }
  const { test: split } = imagesFrom(folder);
  // What the libraries take when they are first used is theirs, not the images'.
  const some = subset(split, 10);
  await prepareImages(some);
  scope(() => new TensorSplit(some).range(0, 10));
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = () => {
    most = Math.max(most, process.memoryUsage.rss() - before);
  };
  await prepareImages(split, { onProgress: watch });
  const tensors = new TensorSplit(split);
  for (let first = 0; first < split.count; first += 16) {
    scope(() =>
      expect(tensors.range(first, 16).images.shape).toEqual([
        Math.min(16, split.count - first),
        3,
        side,
        side,
      ]),
    );
    watch();
  }
  tensors.dispose();
  expect(split.count * side * side * 3).toBeGreaterThan(450e6);
  expect(most / 1e6).toBeLessThan(120);
}, 180_000);
