import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomic } from "../../src/base/index.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqa-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("writes text, bytes and pieces, and leaves nothing else behind", () => {
  const path = join(folder, "file");
  writeFileAtomic(path, "first, a longer text");
  expect(readFileSync(path, "utf8")).toBe("first, a longer text");
  writeFileAtomic(path, new Uint8Array([1, 2, 3]));
  expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  writeFileAtomic(path, [new Uint8Array([4]), new Uint8Array(0), new Uint8Array([5, 6])]);
  expect([...readFileSync(path)]).toEqual([4, 5, 6]);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("ignores what a killed process left behind", () => {
  const leftover = `.file.${process.pid}-00000000.tmp`;
  writeFileSync(join(folder, leftover), "half");
  writeFileAtomic(join(folder, "file"), "whole");
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("whole");
  expect(readFileSync(join(folder, leftover), "utf8")).toBe("half");
});

test("keeps the old file, and no temporary one, when writing fails half-way", () => {
  const path = join(folder, "file");
  writeFileAtomic(path, "old");
  const broken = [new Uint8Array([1]), {} as Uint8Array];
  expect(() => writeFileAtomic(path, broken)).toThrow(`cannot write ${path}`);
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("names the path when the folder is missing or the target is a folder", () => {
  const missing = join(folder, "none", "file");
  expect(() => writeFileAtomic(missing, "x")).toThrow(`cannot write ${missing}: ENOENT`);
  const occupied = join(folder, "occupied");
  mkdirSync(occupied);
  expect(() => writeFileAtomic(occupied, "x")).toThrow(`cannot write ${occupied}`);
  expect(readdirSync(folder)).toEqual(["occupied"]);
});
