import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test, vi } from "vitest";
import { isGone, processStart, stillRuns } from "../../src/base/index.js";

const own = processStart(process.pid);
const ended = () => spawnSync("true").pid;

test("a process is told from another that was given its number", () => {
  expect(own).toMatch(/^\d+$/);
  expect(stillRuns(process.pid, own)).toBe(true);
  expect(stillRuns(process.pid, `${own}1`)).toBe(false);
  expect(isGone(process.pid)).toBe(false);
});

test("one that has ended is gone", () => {
  const pid = ended();
  expect(processStart(pid)).toBe("");
  expect(stillRuns(pid, own)).toBe(false);
  expect(isGone(pid)).toBe(true);
});

test("another user's that /proc hides counts as running", () => {
  const pid = ended();
  const kill = vi.spyOn(process, "kill").mockImplementation(() => {
    throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
  });
  onTestFinished(() => kill.mockRestore());
  expect(stillRuns(pid, own)).toBe(true);
  expect(isGone(pid)).toBe(false);
});
