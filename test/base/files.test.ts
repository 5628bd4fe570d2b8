import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileFormatError, readTextFile, removeAbandoned } from "../../src/base/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("readTextFile", () => {
  it("reads a regular file, and names what is none", () => {
    const [file, pipe] = [join(folder, "text"), join(folder, "pipe")];
    writeFileSync(file, "α\n");
    spawnSync("mkfifo", [pipe]);
    expect(readTextFile(file)).toBe("α\n");
    for (const [path, most, problem] of [
      [pipe, 10, "it is no regular file"],
      ["/dev/zero", 10, "it is no regular file"],
      [folder, 10, "it is a folder"],
      [join(folder, "none"), 10, "there is no such file"],
      [join(file, "below"), 10, "there is no such file"],
      [file, 2, "it has 3 bytes, more than 2 are not read"],
    ] as const) {
      const read = () => readTextFile(path, most);
      expect(read).toThrow(FileFormatError);
      expect(read).toThrow(`cannot read ${path}: ${problem}`);
    }
  });
});

describe("removeAbandoned", () => {
  it("removes old temporary files of processes that are gone, and no other file", () => {
    const gone = spawnSync("true").pid;
    const old = new Date(Date.now() - 120_000);
    const files = {
      [`.a.json.${gone}-0a1b2c3d.tmp`]: old,
      [`.own.json.${gone}-0a1b2c3d.tmp`]: new Date(),
      // Perhaps of another machine, or of a process that writes.
      [`.b.json.${gone}-0a1b2c3d.tmp`]: new Date(),
      [`.c.json.${process.ppid}-0a1b2c3d.tmp`]: old,
      [`.d.json.${gone}-0a1b2c.tmp`]: old,
      "a.json": old,
    };
    const place = join(folder, "place");
    mkdirSync(place);
    for (const [name, time] of Object.entries(files)) {
      writeFileSync(join(place, name), "");
      utimesSync(join(place, name), time, time);
    }
    removeAbandoned(place, (name) => name === "own.json");
    removeAbandoned(join(folder, "none"));
    const there = Object.keys(files).map((name) => existsSync(join(place, name)));
    expect(there).toEqual([false, false, true, true, true, true]);
  });
});
