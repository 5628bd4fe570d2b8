import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { entryAt } from "../../base/index.js";
import type { AuditSummary } from "../api.js";
import { inside, isPlainName } from "../files/inside.js";
import { readJson } from "../files/read-json.js";

/** Name of a folder that keeps an audit. */
const auditName = /^audit-[\w-]+$/;

const reportSchema = z.record(z.string(), z.unknown());

/** Content of audit.json; undefined before the end of the audit. BrokenFileError for no report. */
export function auditReport(folder: string) {
  return readJson(join(folder, "audit.json"), reportSchema, 32 * 2 ** 20);
}

function verdictOf(folder: string): string {
  try {
    const verdict = auditReport(folder)?.verdict;
    if (typeof verdict !== "object" || verdict === null) return "";
    const { text, name } = verdict as Record<string, unknown>;
    return typeof text === "string" ? text : typeof name === "string" ? name : "";
  } catch {
    return "its audit.json is damaged";
  }
}

const timeOf = (path: string) => entryAt(path)?.mtimeMs ?? 0;

/** Time of an audit's latest batch, which changes the folder of its trial alone. */
function latestBatch(folder: string): number {
  const trials = inside(folder, "trials");
  let kept: string[] = [];
  try {
    kept = trials === undefined ? [] : readdirSync(trials).map((name) => join(trials, name));
  } catch {
    // No folder.
  }
  return Math.max(timeOf(folder), ...kept.map(timeOf));
}

const known = new Map<string, { readonly changed: number; readonly verdict: string }>();

/** Summary of an audit's folder. */
export function auditSummary(run: string, name: string, folder: string): AuditSummary {
  const report = entryAt(join(folder, "audit.json"));
  const changed = report?.mtimeMs ?? latestBatch(folder);
  const before = known.get(folder);
  const verdict =
    report === undefined ? "" : before?.changed === changed ? before.verdict : verdictOf(folder);
  if (report !== undefined) known.set(folder, { changed, verdict });
  return { run, name, finished: report !== undefined, verdict, changed };
}

/** Audits in a run's folder. */
export function auditsOf(runs: string, run: string): AuditSummary[] {
  const folder = inside(runs, run);
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => auditName.test(name))
    .sort()
    .flatMap((name) => {
      const path = inside(folder, name);
      return path === undefined || entryAt(path)?.isDirectory() !== true
        ? []
        : [auditSummary(run, name, path)];
    });
}

/** Every audit in a folder of runs, the latest first. */
export function allAudits(runs: string): AuditSummary[] {
  if (!existsSync(runs)) return [];
  const folders = readdirSync(runs, { withFileTypes: true }).filter(
    (entry) => isPlainName(entry.name) && !entry.isFile(),
  );
  return folders
    .flatMap(({ name }) => {
      try {
        return auditsOf(runs, name);
      } catch {
        return [];
      }
    })
    .sort((a, b) => b.changed - a.changed);
}

/** Folder of an audit; undefined where there is none inside of the runs. */
export function auditFolder(runs: string, run: string, name: string): string | undefined {
  const folder = auditName.test(name) ? inside(runs, run, name) : undefined;
  return folder !== undefined && entryAt(folder)?.isDirectory() === true ? folder : undefined;
}
