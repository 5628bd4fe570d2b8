import { existsSync, readdirSync } from "node:fs";
import * as z from "zod";
import type { PaperItem } from "../api.js";
import { inside } from "../files/inside.js";
import { readJson } from "../files/read-json.js";
import { readWhole } from "../files/read-part.js";

const resultName = /^([\w-]+)\.json$/;
const tableSchema = z.looseObject({ table: z.string().max(1000) });

/** Tables and figures of a folder of results, each by its JSON file; what names no table is passed over. */
export function paperResults(folder: string): PaperItem[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).flatMap((file) => resultName.exec(file)?.[1] ?? []);
  return names.sort().flatMap((name) => {
    try {
      const path = inside(folder, `${name}.json`);
      const found = path === undefined ? undefined : readJson(path, tableSchema, 32 * 2 ** 20);
      if (found === undefined) return [];
      const written = inside(folder, `${name}.md`);
      const text = written === undefined ? "" : (readWhole(written, 2 ** 20)?.toString("utf8") ?? "");
      const hasFigure = inside(folder, `${name}.png`) !== undefined;
      return [{ name, text: text === "" ? found.table : text, hasFigure }];
    } catch {
      return [];
    }
  });
}

/** Path of a figure; undefined where there is none inside of the folder. */
export function figurePath(folder: string, name: string): string | undefined {
  return /^[\w-]+$/.test(name) ? inside(folder, `${name}.png`) : undefined;
}
