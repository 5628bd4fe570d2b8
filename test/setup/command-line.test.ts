import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { excerpt, programOnPath } from "../../scripts/setup/command.mjs";
import { checkout } from "../../scripts/setup/set-up.mjs";
import { setUpTools } from "../../scripts/setup/system-tools.mjs";
import { temporaryFolder, writeFiles } from "./fake-libtorch.js";

const script = join(checkout, "scripts", "setup.mjs");

test("a wrong option prints the usage and ends with 2", () => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--libtorhc", "x"], {
    encoding: "utf8",
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^setup: .*--libtorhc/);
  expect(stderr).toContain("Usage: npm run setup");
  expect(stdout).toBe("");
});

test.each([
  ["a setup that cannot go on", { "packed.json": "{}" }, /^setup: cmake, g\+\+, make missing/],
  ["a command line that cannot be loaded", {}, /ERR_MODULE_NOT_FOUND|Cannot find module/],
])("%s ends sqa with 70: 1 would say that a criterion is not met", (_, files, message) => {
  const copy = writeFiles(temporaryFolder(), { "package.json": '{"type": "module"}', ...files });
  for (const folder of ["bin", "scripts"])
    cpSync(join(checkout, folder), join(copy, folder), { recursive: true });
  const env = { PATH: temporaryFolder() };
  const command = [join(copy, "bin", "sqa.mjs"), "audit", "runs/any"];
  const { status, stderr, stdout } = spawnSync(process.execPath, command, { encoding: "utf8", env });
  expect([status, stdout]).toEqual([70, ""]);
  expect(stderr).toMatch(message);
});

test("a missing compiler is one line that says what to run", () => {
  const path = temporaryFolder();
  const previous = process.env.PATH;
  try {
    process.env.PATH = path;
    expect(() => setUpTools()).toThrow(
      /^setup: cmake, g\+\+, make missing; run as root: apt-get update && apt-get install -y cmake g\+\+ make$/,
    );
  } finally {
    process.env.PATH = previous;
  }
});

test("a program is looked for along PATH, and a folder is none", () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  mkdirSync(join(first, "tool"));
  symlinkSync(process.execPath, join(second, "tool"));
  expect(programOnPath("tool", `${first}:${second}`)).toBe(join(second, "tool"));
  expect(programOnPath("absent", `${first}:${second}`)).toBeUndefined();
});

test("an excerpt keeps the first or last lines that are not blank", () => {
  expect(excerpt("a\n\nb\nc\n", 2)).toEqual(["b", "c"]);
  expect(excerpt("a\n\nb\nc\n", 2, "start")).toEqual(["a", "b"]);
});
