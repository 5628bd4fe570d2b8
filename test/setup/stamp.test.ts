import { appendFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  filesBelow,
  hashOfContents,
  hashOfTimes,
  isFresh,
  readJson,
  writeJson,
} from "../../scripts/setup/stamp.mjs";
import { temporaryFolder, writeFiles } from "./fake-libtorch.js";

test("a stamp is fresh exactly while what it was made from is the same", () => {
  const folder = writeFiles(temporaryFolder(), { "src/a.cc": "1", "src/deep/b.h": "2" });
  const stamp = () => ({ sources: hashOfContents(filesBelow(join(folder, "src"))) });
  const file = join(folder, "stamp.json");
  expect(isFresh(file, stamp())).toBe(false);
  writeJson(file, stamp());
  expect(isFresh(file, stamp())).toBe(true);
  utimesSync(join(folder, "src/a.cc"), 1, 1);
  expect(isFresh(file, stamp())).toBe(true);
  appendFileSync(join(folder, "src/deep/b.h"), " ");
  expect(isFresh(file, stamp())).toBe(false);
});

test("bytes that move from one file to the next change the hash", () => {
  const folder = writeFiles(temporaryFolder(), { a: "12", b: "3" });
  const before = hashOfContents(filesBelow(folder));
  writeFiles(folder, { a: "1", b: "23" });
  expect(hashOfContents(filesBelow(folder))).not.toBe(before);
});

test("a file's time and a new or renamed file change the hash of times", () => {
  const folder = writeFiles(temporaryFolder(), { "a.ts": "1" });
  const hash = () => hashOfTimes(filesBelow(folder));
  const hashes = [hash()];
  utimesSync(join(folder, "a.ts"), 1, 1);
  hashes.push(hash());
  writeFiles(folder, { "b.ts": "" });
  hashes.push(hash());
  expect(new Set(hashes).size).toBe(3);
  expect(hash()).toBe(hashes[2]);
});

test("a stamp cut short by a crash counts as none, and writing leaves no other file", () => {
  const folder = temporaryFolder();
  const file = join(folder, "stamp.json");
  writeJson(file, { a: 1 });
  expect(readdirSync(folder)).toEqual(["stamp.json"]);
  writeFileSync(file, '{ "a": ');
  expect(readJson(file)).toBeUndefined();
  expect(isFresh(file, { a: 1 })).toBe(false);
});
