import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isObject, readTextFile } from "../../../base/index.js";
import type { Report } from "../../../evaluation/index.js";
import { colors, out, outputWidth } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { UsageError } from "../../frame/usage-error.js";

/** Writes a report into a folder, and shows it or its JSON. */
export async function showReport(report: Report, folder: string, json: boolean): Promise<void> {
  const files = await report.write(folder);
  if (json) return out(JSON.stringify(report));
  const { dim } = colors("stdout");
  const shown = shownPath(dirname(files.html));
  const kept = [
    `report: ${shown}/audit.html`,
    `numbers: ${shown}/audit.json`,
    `worst images: ${shown}/images`,
  ];
  out([report.text({ width: outputWidth(), colors: colors("stdout") }), "", ...kept.map(dim)].join("\n"));
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
  throw new UsageError(`--out ${folder} holds the report of another audit: give another folder`);
}
