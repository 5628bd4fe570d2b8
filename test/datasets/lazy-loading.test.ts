import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const cache = mkdtempSync(join(tmpdir(), "sqa-lazy-loading-"));
afterAll(() => rmSync(cache, { recursive: true }));

/** Runs a program in a process of its own, behind the package's front. */
function printed(program: string): string {
  const code = `
    import { createRequire } from "node:module";
    import { imagesFrom, mnist, prepareImages } from "./src/index.ts";
    const loaded = () => [
      process.report.getReport().sharedObjects.some((path) => path.includes("vips")),
      Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("hyparquet")),
    ];
    ${program}
    process.stdout.write(JSON.stringify(loaded()));`;
  const root = new URL("../..", import.meta.url).pathname;
  const given = ["--import", "tsx", "--input-type=module", "-e", code];
  // Of an empty cache: pixels that an earlier process kept need no decoder.
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  return execFileSync(process.execPath, given, { cwd: root, encoding: "utf8", env });
}

test("decoders are loaded where images are decoded, and nowhere else", () => {
  expect(printed("mnist().test;")).toBe("[false,false]");
  expect(printed('imagesFrom("test/golden/images/nhwc.npz").test;')).toBe("[false,false]");
  expect(printed('imagesFrom("test/golden/images/parquet").test;')).toBe("[false,true]");
  expect(printed('await prepareImages(imagesFrom("test/golden/images/parquet").test);')).toBe("[true,true]");
}, 120_000);
