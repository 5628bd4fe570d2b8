import { mkdirSync, readdirSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { moveIntoPlace, removeInterrupted } from "../../scripts/setup/libtorch-install.mjs";
import {
  cachedLibtorch,
  cacheFolders,
  completeMark,
  searchLibtorch,
} from "../../scripts/setup/libtorch-search.mjs";
import { temporaryFolder, torchPackage, writeFiles } from "./fake-libtorch.js";

let said = "";
beforeEach(() => {
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** A cache folder with a finished copy of each version. */
function cacheWith(...versions: string[]): string {
  const cache = temporaryFolder();
  for (const version of versions) {
    writeFiles(join(cache, `torch-${version}`, "torch"), torchPackage(version));
    writeFiles(join(cache, `torch-${version}`), { [completeMark]: "{}" });
  }
  return cache;
}

test("LIBTORCH comes first, then python3, then the cache", () => {
  const named = writeFiles(temporaryFolder(), torchPackage("2.5.0"));
  const ofPython = writeFiles(temporaryFolder(), torchPackage("2.6.0"));
  const caches = [cacheWith("2.13.0+cpu")];
  const pythonTorch = () => ofPython;
  expect(searchLibtorch({ env: { LIBTORCH: named }, caches, pythonTorch })).toMatchObject({
    source: "LIBTORCH",
    path: named,
  });
  expect(searchLibtorch({ env: {}, caches, pythonTorch })).toMatchObject({
    source: "python3",
    version: "2.6.0",
  });
  expect(searchLibtorch({ env: {}, caches, pythonTorch: () => undefined })).toMatchObject({
    source: "cache",
    version: "2.13.0+cpu",
  });
});

test("with nothing found, each place looked at is printed", () => {
  const cache = join(temporaryFolder(), "none");
  expect(searchLibtorch({ env: {}, caches: [cache], pythonTorch: () => undefined })).toBeUndefined();
  expect(said).toMatch(/LIBTORCH is not set\n.*python3 has no torch package\n.*no copy in .*none\n$/);
});

test("a wrong LIBTORCH is an error, one line that says what was given, what it lacks and what is accepted", () => {
  const folder = temporaryFolder();
  const search = () => searchLibtorch({ env: { LIBTORCH: folder }, caches: [cacheWith("2.13.0")] });
  expect(search).toThrow(
    `LIBTORCH=${folder} is no libtorch: ${folder} has no libtorch.so. Accepted: a folder with lib/libtorch.so`,
  );
  expect(search).not.toThrow(/\n/);
});

test("python3's torch is passed over when it is too old", () => {
  const old = writeFiles(temporaryFolder(), torchPackage("1.9.0"));
  const found = searchLibtorch({ env: {}, caches: [cacheWith("2.13.0")], pythonTorch: () => old });
  expect(found).toMatchObject({ source: "cache" });
  expect(said).toContain("passed over");
});

test("the newest finished copy is taken, and an interrupted installation for none", () => {
  const cache = cacheWith("2.9.0", "2.13.0");
  writeFiles(join(cache, "torch-2.14.0", "torch"), torchPackage("2.14.0"));
  writeFiles(join(cache, ".installing-1-abc", "torch"), torchPackage("2.15.0"));
  expect(cachedLibtorch(cache)).toMatchObject({ version: "2.13.0" });
  expect(cachedLibtorch(temporaryFolder())).toBeUndefined();
});

test("a copy goes into place whole, without what is not needed", () => {
  const cache = temporaryFolder();
  const temporary = join(cache, ".installing-1-abc");
  writeFiles(join(temporary, "torch"), {
    ...torchPackage("2.13.0+cpu"),
    "nn/module.py": "",
    "bin/protoc": "",
  });
  writeFiles(temporary, { "torchgen/model.py": "" });
  expect(moveIntoPlace(temporary, cache)).toEqual({
    path: join(cache, "torch-2.13.0+cpu", "torch"),
    version: "2.13.0+cpu",
  });
  expect(cachedLibtorch(cache)).toMatchObject({ version: "2.13.0+cpu" });
});

test("of two set-ups at once the second takes the copy of the first", () => {
  const cache = cacheWith("2.13.0");
  const late = join(cache, ".installing-2-def");
  writeFiles(join(late, "torch"), torchPackage("2.13.0"));
  expect(moveIntoPlace(late, cache)).toMatchObject({ path: join(cache, "torch-2.13.0", "torch") });
});

test("what a dead installation left is deleted after an hour", () => {
  const cache = temporaryFolder();
  const old = join(cache, ".installing-999999999-abc");
  const own = join(cache, `.installing-${process.pid}-abc`);
  for (const folder of [old, own]) mkdirSync(folder);
  removeInterrupted(cache);
  expect(readdirSync(cache)).toHaveLength(2);
  const hoursAgo = Date.now() / 1000 - 7200;
  for (const folder of [old, own]) utimesSync(folder, hoursAgo, hoursAgo);
  removeInterrupted(cache);
  expect(readdirSync(cache)).toEqual([`.installing-${process.pid}-abc`]);
});

test("the cache is in XDG_CACHE_HOME, or ~/.cache where that is unset or relative", () => {
  expect(cacheFolders({ XDG_CACHE_HOME: "/somewhere" }, "/checkout")).toEqual([
    "/somewhere/sqa",
    "/checkout/build/cache",
  ]);
  for (const base of [undefined, "", "relative"]) {
    expect(cacheFolders({ XDG_CACHE_HOME: base }, "/checkout")[0]).toBe(join(homedir(), ".cache", "sqa"));
  }
});
