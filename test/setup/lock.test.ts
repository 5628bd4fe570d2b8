import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withLock } from "../../scripts/setup/lock.mjs";
import { SetupError } from "../../scripts/setup/progress.mjs";

const folder = mkdtempSync(join(tmpdir(), "sqa-setup-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "deeper", "setup.lock");

test("is held while the step runs, and released after it, also when it throws", () => {
  expect(withLock(file, () => readFileSync(file, "utf8"))).toMatch(new RegExp(`^${process.pid} \\d+$`));
  expect(existsSync(file)).toBe(false);
  expect(() =>
    withLock(file, () => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(existsSync(file)).toBe(false);
});

test.each([
  ["a process that is gone", "999999999 5"],
  ["an earlier process of this one's number, as in a container", `${process.pid} 1`],
  ["nobody: cut short", ""],
])("of %s is taken over", (_, content) => {
  writeFileSync(file, content);
  expect(withLock(file, () => "done")).toBe("done");
});

test("a folder that cannot be written is one line", () => {
  const taken = join(folder, "file");
  writeFileSync(taken, "");
  expect(() => withLock(join(taken, "setup.lock"), () => "never")).toThrow(SetupError);
  expect(() => withLock(join(taken, "setup.lock"), () => "never")).toThrow(
    /^setup: something is missing, and .*file cannot be written: .+$/,
  );
});
