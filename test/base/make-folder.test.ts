import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
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
  const file = join(folder, "file");
  expect(() => makeFolder(file)).toThrow(`cannot make the folder ${file}: ${file} is no folder`);
  const below = join(file, "below");
  expect(() => makeFolder(below)).toThrow(`cannot make the folder ${below}: ${file} is no folder`);
});

test("a link to nothing in the way is refused", () => {
  const link = join(folder, "link");
  symlinkSync("nowhere", link);
  expect(() => makeFolder(join(link, "below"))).toThrow(`${link} is a link to nothing`);
});

test("a file system that takes no folders is refused, and not asked for ever", () => {
  expect(() => makeFolder("/proc/none/below")).toThrow(/ENOENT|EACCES/);
});
