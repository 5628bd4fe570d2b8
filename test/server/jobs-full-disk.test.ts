import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { writeFileAtomic } from "../../src/base/index.js";
import { Jobs } from "../../src/server/work/jobs.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-jobs-"));
const disk = { isFull: false, pids: [] as number[] };
const program = [process.execPath, "-e", "setInterval(() => {}, 1000)", "--"] as const;
const jobs = new Jobs(folder, program, (path, text) => {
  disk.pids.push((JSON.parse(text) as { pid: number }).pid);
  if (disk.isFull) throw new Error(`cannot write ${path}: ENOSPC: no space left on device`);
  writeFileAtomic(path, text);
});
const job = { kind: "train", run: "", words: [], config: "model: small\n" } as const;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("work whose record cannot be written is not begun, since nobody could stop it", async () => {
  disk.isFull = true;
  expect(() => jobs.start(job)).toThrow(/^train could not be started: cannot write .*job.json: ENOSPC/);
  expect([jobs.list(), readdirSync(folder)]).toEqual([[], []]);
  const [pid] = disk.pids;
  await vi.waitFor(() => expect(() => process.kill(pid!, 0)).toThrow("ESRCH"), 10_000);
});

it("work that ends while the disk is full has ended, and how is not known", async () => {
  disk.isFull = false;
  const id = jobs.start(job);
  disk.isFull = true;
  expect(jobs.stop(id)).toBe(true);
  await vi.waitFor(() => expect(jobs.job(id)).toMatchObject({ state: "ended", code: null }), 10_000);
});
