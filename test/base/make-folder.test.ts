import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder } from "../../src/base/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-make-folder-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a folder is made with those above it, once or twice", () => {
  const deep = join(folder, "a", "b", "c");
  makeFolder(deep);
  makeFolder(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
});

test("a file in the way is refused", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolder(join(folder, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(folder, "file", "below"))).toThrow("ENOTDIR");
});

test("a file system that takes no folders is refused, and not asked for ever", () => {
  expect(() => makeFolder("/proc/none/below")).toThrow(/ENOENT|EACCES/);
});
