import { join } from "node:path";
import { expect, test } from "vitest";
import { buildId } from "../../scripts/setup/addon.mjs";
import { currentBuildFresh, currentFile, currentLibtorch } from "../../scripts/setup/current-build.mjs";
import { writeJson } from "../../scripts/setup/stamp.mjs";
import { temporaryFolder, torchPackage, writeFiles } from "./fake-libtorch.js";

/** A checkout whose last build was made against a fake libtorch. */
function checkoutWith(source: string) {
  const path = writeFiles(temporaryFolder(), torchPackage("2.13.0+cpu"));
  const root = temporaryFolder();
  const libtorch = { version: "2.13.0+cpu", path, source };
  writeJson(currentFile(root), { addon: `${buildId(libtorch)}/sqa.node`, libtorch });
  return { root, path, libtorch };
}

test("a build folder is named by version and path", () => {
  const a = buildId({ version: "2.13.0+cpu", path: "/a" });
  expect(a).toMatch(/^torch-2\.13\.0-[0-9a-f]{6}$/);
  expect(buildId({ version: "2.13.0+cpu", path: "/b" })).not.toBe(a);
});

test("the libtorch of the last build is kept while it is there", () => {
  const { root, path, libtorch } = checkoutWith("cache");
  expect(currentLibtorch(root, {})).toEqual(libtorch);
  writeFiles(path, { "version.py": "__version__ = '2.14.0'\n" });
  expect(currentLibtorch(root, {})).toBeUndefined();
  expect(currentLibtorch(temporaryFolder(), {})).toBeUndefined();
});

test("LIBTORCH set, changed or unset calls for another choice", () => {
  const chosen = checkoutWith("LIBTORCH");
  expect(currentLibtorch(chosen.root, { LIBTORCH: chosen.path })).toEqual(chosen.libtorch);
  expect(currentLibtorch(chosen.root, { LIBTORCH: join(chosen.path, "lib") })).toBeUndefined();
  expect(currentLibtorch(chosen.root, {})).toBeUndefined();
  const found = checkoutWith("cache");
  expect(currentLibtorch(found.root, { LIBTORCH: found.path })).toBeUndefined();
});

test("a build without its addon, or of other sources, is not fresh", () => {
  const { root } = checkoutWith("cache");
  writeFiles(root, { "native/bridge/bridge.cc": "" });
  expect(currentBuildFresh(root, {})).toBe(false);
});

test("SQA_LIBTORCH goes before LIBTORCH", () => {
  const chosen = checkoutWith("SQA_LIBTORCH");
  const env = { SQA_LIBTORCH: chosen.path, LIBTORCH: "/elsewhere" };
  expect(currentLibtorch(chosen.root, env)).toEqual(chosen.libtorch);
  expect(currentLibtorch(chosen.root, { LIBTORCH: chosen.path })).toBeUndefined();
});
