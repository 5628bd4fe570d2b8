import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { StepLog } from "../../src/training/run/step-log.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-step-log-"));
const file = join(folder, "steps.jsonl");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));

const logged = () =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { step: number }).step);

function logAll(log: StepLog, from: number, to: number): void {
  for (let step = from; step <= to; step++) log.log({ step, loss: 1 / step, learningRate: 0.1 });
}

it("keeps every step of a short run, and at most 2,000 of a long one", () => {
  logAll(new StepLog(file, 5), 1, 5);
  expect(logged()).toEqual([1, 2, 3, 4, 5]);
  rmSync(file);
  logAll(new StepLog(file, 20_001), 1, 20_001);
  expect(logged().slice(0, 3)).toEqual([11, 22, 33]);
  expect(logged().length).toBeLessThanOrEqual(2000);
});

it("goes on behind a checkpoint as if it had never been killed", () => {
  const log = new StepLog(file, 10);
  log.rewind(0);
  logAll(log, 1, 7);
  writeFileSync(file, `${readFileSync(file, "utf8")}{"step":8,"lo`);
  log.rewind(4);
  expect(logged()).toEqual([1, 2, 3, 4]);
  logAll(log, 5, 10);
  expect(logged()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
