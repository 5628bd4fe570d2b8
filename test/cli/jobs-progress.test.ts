import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { JobsProgress } from "../../src/cli/commands/shards/jobs-progress.js";
import { readEventFile } from "../files/event-records.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-jobs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shard = { type: "shard", images: 3, trials: 2, id: "audit", folder, facts: {} } as const;
const attack = (label: string, images: number, accuracy: number | undefined, worst: number) =>
  ({ type: "attack", label, images, accuracy, worst }) as const;
const progress = (done: number) => ({ type: "progress", attack: "FGSM", done, total: 10 }) as const;

it("tells of an attack when all jobs have ended it, over all their images, and logs it as it comes", async () => {
  using captured = captureOutput({ terminal: true });
  using shown = new JobsProgress("audit", 2, true);
  for (const job of [0, 1]) shown.tell(job, shard);
  const logged = () =>
    readEventFile(readFileSync(join(folder, "tb", readdirSync(join(folder, "tb"))[0]!))).flatMap((event) =>
      event.values.map(({ tag, scalar }) => [tag, Number(scalar!.toFixed(6))]),
    );
  shown.tell(0, progress(3));
  shown.tell(0, attack("clean", 3, 1, 1));
  shown.tell(0, attack("FGSM, eps 0.1", 3, 2 / 3, 2 / 3));
  expect(logged()).toEqual([]);
  // One image of four in the other job: (3 * 1 + 1 * 0) / 4.
  shown.tell(1, attack("clean", 1, 0, 0));
  const clean = [
    ["audit/accuracy", 0.75],
    ["accuracy under/clean", 0.75],
    ["audit/worst case so far", 0.75],
  ];
  expect(logged()).toEqual(clean);
  await new Promise((done) => setTimeout(done, 100));
  shown.tell(1, attack("FGSM, eps 0.1", 1, 0, 0));
  expect(logged().slice(3)).toEqual([
    ["audit/accuracy", 0.5],
    ["accuracy under/FGSM, eps 0.1", 0.5],
    ["audit/worst case so far", 0.5],
  ]);
  expect(captured.stderr.text).toContain("worst so far 50.0 %");
  // An attack that ended in an error somewhere has no accuracy, and the next one its own step.
  for (const job of [0, 1]) shown.tell(job, attack("PGD", 2, job === 0 ? undefined : 1, 0.5));
  expect(logged()).toHaveLength(6);
  await new Promise((done) => setTimeout(done, 100));
  shown.tell(0, progress(4));
  shown.tell(1, progress(8));
  await new Promise((done) => setTimeout(done, 100));
  shown.tell(1, progress(9));
  expect(captured.stderr.text).toContain("13/20");
  shown.finish();
});
