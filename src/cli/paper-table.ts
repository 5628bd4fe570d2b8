import { join } from "node:path";
import { writeFileAtomic } from "../base/index.js";
import { out } from "./frame/output.js";

/** Writes a table as NAME.json and NAME.md into a folder, and shows it. */
export function showTable(
  folder: string,
  name: string,
  table: {
    readonly title: string;
    readonly record: object;
    readonly text: (format: "markdown" | "terminal") => string;
    readonly notes: readonly string[];
  },
): void {
  const { title, record, text, notes } = table;
  const file = join(folder, name);
  writeFileAtomic(`${file}.json`, `${JSON.stringify(record, null, 2)}\n`);
  writeFileAtomic(`${file}.md`, `${[`# ${title}`, text("markdown"), ...notes].join("\n\n")}\n`);
  out([text("terminal"), "", ...notes].join("\n"));
}
