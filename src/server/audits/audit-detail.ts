import { join } from "node:path";
import * as z from "zod";
import { isObject } from "../../base/index.js";
import type { AuditDetail } from "../api.js";
import { inside } from "../files/inside.js";
import { readJson } from "../files/read-json.js";
import { picturesIn } from "../runs/pictures.js";
import { auditReport, auditSummary } from "./audit-list.js";
import { BatchFiles, type KeptBatch } from "./batch-files.js";
import { progressOf } from "./worst-so-far.js";

const planSchema = z.object({
  images: z.int().min(0),
  trials: z
    .array(
      z.object({
        id: z.string(),
        label: z.string().optional(),
        inBall: z.boolean(),
        batchSeconds: z.number().min(0),
      }),
    )
    .max(10_000),
  batchSize: z.int().min(1),
});

/** Work ahead of an audit, as it writes it before the first attack. */
type Plan = z.output<typeof planSchema>;

const folders = new Map<string, BatchFiles>();

/** Batches of an audit's folder. */
export function batchesOf(folder: string): BatchFiles {
  const known = folders.get(folder) ?? new BatchFiles(folder);
  folders.delete(folder);
  folders.set(folder, known);
  if (folders.size > 20) folders.delete(folders.keys().next().value!);
  return known;
}

/** Batches by trial, in the order of the plan; without one, in that of the folders. */
function byTrial(plan: Plan | undefined, batches: readonly KeptBatch[]): Map<string, KeptBatch[]> {
  const found = new Map<string, KeptBatch[]>();
  if (batches.some(({ id }) => id === "clean")) found.set("clean", []);
  for (const { id } of plan?.trials ?? []) found.set(id, []);
  for (const batch of batches) found.set(batch.id, [...(found.get(batch.id) ?? []), batch]);
  return found;
}

/**
 * Seconds that the batches ahead take, by the plan and by how it has turned out so far; null where the plan
 * tells none, as that of jobs and shards does.
 */
export function secondsLeft(plan: Plan, trials: ReadonlyMap<string, readonly KeptBatch[]>): number | null {
  if (plan.trials.every(({ batchSeconds }) => batchSeconds === 0)) return null;
  const batches = Math.ceil(plan.images / plan.batchSize);
  let [expected, taken, left] = [0, 0, 0];
  for (const { id, batchSeconds } of plan.trials) {
    const done = trials.get(id) ?? [];
    expected += batchSeconds * done.length;
    taken += done.reduce((sum, { seconds }) => sum + seconds, 0);
    left += batchSeconds * Math.max(0, batches - done.length);
  }
  return left * (expected > 0 && taken > 0 ? taken / expected : 1);
}

/** Images that a page is told of one by one. */
const mostFallen = 1000;

const fallenSchema = z.object({
  trials: z.array(z.object({ trial: z.string(), label: z.string() })),
  perImage: z.array(
    z.object({
      position: z.int().min(0),
      brokenBy: z.string().nullable(),
      correct: z.object({ clean: z.number(), worst: z.number() }),
    }),
  ),
});

/** Images that fell by a report, for an audit whose batches lie elsewhere, as those of shards may. */
function reportedFallen(report: unknown): AuditDetail["fallen"] {
  const { trials, perImage } = fallenSchema.safeParse(report).data ?? { trials: [], perImage: [] };
  const labels = new Map(trials.map(({ trial, label }) => [trial, label]));
  return perImage.flatMap(({ position, brokenBy, correct }) => {
    const fell = brokenBy !== null && correct.clean >= 0.5 && correct.worst < 0.5;
    return fell ? [{ position, by: labels.get(brokenBy) ?? brokenBy }] : [];
  });
}

/** Images that a report is of; undefined where there is none. */
function reportedImages(report: Readonly<Record<string, unknown>> | null): number | undefined {
  return typeof report?.images === "number" ? report.images : undefined;
}

/** Accuracy that a report gives; undefined where there is none. */
function reported(figure: unknown): number | undefined {
  const accuracy = isObject(figure) ? figure.accuracy : undefined;
  return typeof accuracy === "number" ? accuracy : undefined;
}

/** Audit of a folder. */
export function auditDetail(run: string, name: string, folder: string): AuditDetail {
  const problems: string[] = [];
  const attempt = <T>(read: () => T | undefined): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message);
      return undefined;
    }
  };
  const plan = attempt(() => readJson(join(folder, "plan.json"), planSchema));
  const found = batchesOf(folder).read();
  const trials = byTrial(plan, found.batches);
  const inBall = new Set((plan?.trials ?? []).filter((trial) => trial.inBall).map(({ id }) => id));
  const { lines, fallen, clean, worst } = progressOf(trials, inBall);
  const labels = new Map(plan?.trials.map(({ id, label = id }) => [id, label]));
  const report = attempt(() => auditReport(folder)) ?? null;
  const summary = auditSummary(run, name, folder);
  const fell = found.batches.length === 0 ? reportedFallen(report) : fallen;
  return {
    summary,
    images: reportedImages(report) ?? plan?.images ?? Math.max(0, ...lines.map(({ done }) => done)),
    trials: lines.map((line) => ({ ...line, label: labels.get(line.id) ?? line.id })),
    fallen: fell.slice(0, mostFallen).map(({ position, by }) => ({ position, by: labels.get(by) ?? by })),
    fallenImages: fell.length,
    clean: reported(report?.clean) ?? clean,
    worst: reported(report?.worst) ?? worst,
    secondsLeft: plan === undefined || summary.finished ? null : secondsLeft(plan, trials),
    pictures: picturesIn(folder),
    hasPage: inside(folder, "audit.html") !== undefined,
    report,
    problems: [...problems, ...found.problems.slice(0, 20)],
  };
}
