import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkWritable, makeFolder } from "../../src/base/index.js";

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

test("a name that no file can have is refused", () => {
  const long = join(folder, "a".repeat(300));
  for (const path of [long, join(long, "below")])
    expect(() => makeFolder(path)).toThrow(`cannot make the folder ${path}: ENAMETOOLONG`);
});

test("a file system that takes no folders is refused, and not asked for ever", () => {
  expect(() => makeFolder("/proc/none/below")).toThrow(/ENOENT|EACCES/);
});

test("a folder that is none, or is not there, cannot be written into", () => {
  const file = join(folder, "content");
  writeFileSync(file, "");
  checkWritable(folder);
  expect(() => checkWritable(file)).toThrow(`cannot write into ${file}: it is no folder`);
  const none = join(folder, "none");
  expect(() => checkWritable(none)).toThrow(`cannot write into ${none}: there is no such folder`);
});

// The superuser writes anywhere.
test.skipIf(process.getuid?.() === 0)("a folder of others cannot be written into", () => {
  const place = join(folder, "locked");
  mkdirSync(place);
  chmodSync(place, 0o555);
  expect(() => checkWritable(place)).toThrow(`cannot write into ${place}: EACCES`);
});
