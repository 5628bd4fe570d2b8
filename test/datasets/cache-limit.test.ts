import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { imagesFrom } from "../../src/datasets/index.js";
import { keepWithin, pixelCacheLimit, UseMark } from "../../src/datasets/pixels/cache-limit.js";
import { pixelsOf, writeClasses } from "./image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-cache-limit-"));
afterAll(() => rmSync(parent, { recursive: true }));
let made = 0;
let cache: string;
beforeEach(() => {
  cache = join(parent, `cache-${made++}`);
  mkdirSync(cache);
});

/** A data set's folder of so many bytes, last used so many hours ago. */
function addData(name: string, bytes: number, hours: number): string {
  const folder = join(cache, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "pixels.bin"), new Uint8Array(bytes));
  const date = new Date(Date.now() - hours * 3_600_000);
  utimesSync(join(folder, "pixels.bin"), date, date);
  return folder;
}

describe("the folder of decoded images", () => {
  test("loses the longest unused first, and no more than it has to", () => {
    addData("old", 40_000, 30);
    addData("older", 40_000, 50);
    addData("new", 40_000, 1);
    keepWithin(cache, 90_000);
    expect(readdirSync(cache).sort()).toEqual(["new", "old"]);
    keepWithin(cache, 90_000);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  test("keeps what this process uses, whatever it takes", () => {
    const used = addData("used", 80_000, 90);
    new UseMark(used);
    addData("new", 40_000, 1);
    keepWithin(cache, 50_000);
    expect(readdirSync(cache)).toEqual(["used"]);
  });

  test("keeps what another process uses, until that ends", async () => {
    const used = addData("used", 80_000, 90);
    const child = spawn("sleep", ["60"]);
    const { processStart } = await import("../../src/base/index.js");
    const { hostname } = await import("node:os");
    mkdirSync(join(used, "users"));
    writeFileSync(join(used, "users", `${child.pid}-${processStart(child.pid!)}-${hostname()}`), "");
    keepWithin(cache, 1);
    expect(existsSync(join(used, "pixels.bin"))).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    keepWithin(cache, 1);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("keeps what another machine used within a day", () => {
    const used = addData("used", 80_000, 90);
    mkdirSync(join(used, "users"));
    const mark = join(used, "users", "7-1234-elsewhere");
    writeFileSync(mark, "");
    keepWithin(cache, 1);
    expect(readdirSync(cache)).toEqual(["used"]);
    const date = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(mark, date, date);
    keepWithin(cache, 1);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("is kept within the limit when images are decoded", async () => {
    vi.stubEnv("XDG_CACHE_HOME", join(parent, `home-${made++}`));
    cache = join(process.env.XDG_CACHE_HOME!, "sqa", "pixels");
    mkdirSync(cache, { recursive: true });
    addData("other", 60_000, 5);
    vi.stubEnv("SQA_PIXEL_CACHE_GB", "0.00005");
    const folder = writeClasses(join(parent, `classes-${made++}`), ["a", "b"], 3);
    const pixels = await pixelsOf(imagesFrom(folder, { size: 8 }).test);
    expect(pixels).toHaveLength(6 * 3 * 64);
    expect(readdirSync(cache)).not.toContain("other");
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test("has a limit that the environment gives in gigabytes", () => {
    vi.stubEnv("SQA_PIXEL_CACHE_GB", "");
    expect(pixelCacheLimit()).toBe(50e9);
    vi.stubEnv("SQA_PIXEL_CACHE_GB", "2.5");
    expect(pixelCacheLimit()).toBe(2.5e9);
    for (const wrong of ["0", "-1", "much", "NaN"]) {
      vi.stubEnv("SQA_PIXEL_CACHE_GB", wrong);
      expect(() => pixelCacheLimit()).toThrow(/is no number of gigabytes above 0, such as 20/);
    }
  });
});
