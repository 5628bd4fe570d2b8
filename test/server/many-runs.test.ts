import { linkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunDetail, RunPage } from "../../src/server/api.js";
import { alarm, epoch, lines, Served, writeRun } from "./served.js";

let served: Served;

beforeAll(async () => {
  served = await Served.start();
  // One log of 10,000 events under a thousand names: three gigabytes that take three megabytes.
  const events = Array.from({ length: 9_999 }, (_, i) => epoch(i + 1));
  const log = join(served.top, "log");
  writeFileSync(log, lines([...events, alarm(9_999)]));
  for (let i = 0; i < 1000; i++) {
    const folder = writeRun(served.runs, `run-${String(i).padStart(4, "0")}`, { seed: i });
    linkSync(log, join(folder, "events.jsonl"));
  }
}, 120_000);
afterAll(() => served[Symbol.asyncDispose]());

/** Answer, with the milliseconds that it took, and those of them that this process computed. */
async function timed<T>(path: string) {
  const begun = performance.now();
  const before = process.cpuUsage();
  const found = await served.json<T>(path);
  const { user, system } = process.cpuUsage(before);
  return [found, { wall: performance.now() - begun, own: (user + system) / 1000 }] as const;
}

it("opens 1,000 runs of 10,000 events each within 2 s", async () => {
  const [page, first] = await timed<RunPage>("/api/runs?sort=strong&limit=50");
  expect([page.total, page.runs.length]).toEqual([1000, 50]);
  expect(page.runs[0]).toMatchObject({ epoch: 9_999, clean: 0.9, alarms: ["catastrophic-overfitting"] });
  const [, second] = await timed<RunPage>("/api/runs?sort=seed&offset=900&limit=50");
  const [detail, one] = await timed<RunDetail>("/api/runs/run-0500");
  expect(detail.events.length).toBeLessThanOrEqual(600);
  const shown = [first, second, one].map(
    ({ wall, own }) => `${wall.toFixed(0)} ms (${own.toFixed(0)} computing)`,
  );
  process.stderr.write(
    `1,000 runs: the list in ${shown[0]}, again in ${shown[1]}, one of them in ${shown[2]}\n`,
  );
  // On a machine that others keep busy the clock says little.
  expect(Math.max(first.own, second.own, one.own)).toBeLessThan(2000);
});

it("forgets a run that is gone", async () => {
  rmSync(join(served.runs, "run-0001"), { recursive: true });
  expect((await served.json<RunPage>("/api/runs")).total).toBe(999);
  expect((await served.get("/api/runs/run-0001")).status).toBe(404);
});
