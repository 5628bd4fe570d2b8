import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isObject, readTextFile } from "../../../base/index.js";
import { checkReportFolder, type Report } from "../../../evaluation/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { reportForm, toned } from "../../frame/look.js";
import { out } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { asUsage, UsageError } from "../../frame/usage-error.js";
import type { OpenedAudit } from "./open-audit.js";

/** Writes a report into a folder, shows it or its JSON, and returns the exit code. */
export async function showReport(
  report: Report,
  folder: string,
  { json, verbose, force }: { readonly json: boolean; readonly verbose: boolean; readonly force: boolean },
): Promise<number> {
  const files = await report.write(folder, { replace: force });
  if (json) out(JSON.stringify(report));
  else {
    const shown = shownPath(dirname(files.html));
    const kept = [
      `report: ${shown}/audit.html`,
      `numbers: ${shown}/audit.json`,
      `worst images: ${shown}/images`,
    ];
    const text = report.text({ ...reportForm(), verbose });
    out([text, "", ...kept.map((line) => toned("aside", line))].join("\n"));
  }
  return codeOf(report);
}

const codes = { pass: exitCode.done, fail: exitCode.unmet, undecided: exitCode.undecided } as const;

/** Exit code of an audit: that of its criterion and of its comparison with an earlier one. */
function codeOf({ outcome }: Report): number {
  return outcome === null ? exitCode.done : codes[outcome.name];
}

/** Refuses a folder, before any work, that holds files of a report's names which are of no report. */
export function refuseForeignFiles(
  folder: string,
  { model, count }: Pick<OpenedAudit, "model" | "count">,
): void {
  asUsage(() => checkReportFolder(folder, { shape: model.inputShape, count }));
}

/** Refuses a folder that holds the report of another audit. */
export function refuseOtherReport(folder: string, id: string): void {
  const file = join(folder, "audit.json");
  if (!existsSync(file)) return;
  let found: unknown;
  try {
    found = JSON.parse(readTextFile(file));
  } catch {
    // What cannot be read is not of this audit either.
  }
  if (isObject(found) && found.id === id) return;
  throw new UsageError(`${folder} holds the report of another audit: give another folder, or --force`);
}
