import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeFileAtomic, writeNewFile } from "../../src/base/index.js";

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
  expect(() => writeFileAtomic(missing, "x")).toThrow(
    `cannot write ${missing}: there is no folder ${join(folder, "none")}`,
  );
  const occupied = join(folder, "occupied");
  mkdirSync(occupied);
  expect(() => writeFileAtomic(occupied, "x")).toThrow(`cannot write ${occupied}`);
  expect(readdirSync(folder)).toEqual(["occupied"]);
});

test("names the file that stands in a folder's place", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const write of [writeFileAtomic, writeNewFile]) {
    const below = join(file, "below");
    expect(() => write(below, "x")).toThrow(`cannot write ${below}: ${file} is no folder`);
  }
});

describe("a new file", () => {
  test("is written where there is none, and left alone where it is there already", () => {
    const path = join(folder, "new");
    writeNewFile(
      path,
      ["wei", "ghts"].map((text) => new TextEncoder().encode(text)),
    );
    const { ino } = statSync(path);
    writeNewFile(path, "weights");
    expect([readFileSync(path, "utf8"), statSync(path).ino]).toEqual(["weights", ino]);
    expect(readdirSync(folder)).toEqual(["new"]);
  });

  test("replaces nothing of other content unless asked to", () => {
    const path = join(folder, "mine");
    writeFileSync(path, "precious");
    symlinkSync("nowhere", join(folder, "link"));
    mkdirSync(join(folder, "inner"));
    for (const taken of ["mine", "link", "inner"]) {
      const target = join(folder, taken);
      expect(() => writeNewFile(target, "weights!")).toThrow(
        `${target} is there already, with other content, and is not replaced; --force replaces it`,
      );
    }
    expect(readFileSync(path, "utf8")).toBe("precious");
    writeNewFile(path, "weights!", { replace: true });
    expect(readFileSync(path, "utf8")).toBe("weights!");
    expect(readdirSync(folder).sort()).toEqual(["inner", "link", "mine"]);
  });
});
