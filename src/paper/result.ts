import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  FileFormatError,
  isObject,
  makeFolder,
  parseStrictJson,
  readTextFile,
  refuseForeign,
  removeAbandoned,
  writeFileAtomic,
} from "../base/index.js";
import { parseCall } from "../options/index.js";
import { renderBlocks, renderTable, saveChart, type TableStyle, wrapWords } from "../report/index.js";
import { type Table, tables } from "./table.js";

/** Table's text and name, and its data, of what its JSON file holds. */
function stored(json: unknown) {
  if (!isObject(json) || typeof json.table !== "string") throw new TypeError("it names no table");
  const { table: text, ...data } = json as { table: string };
  return { text, name: parseCall(text).name, data };
}

/** Manner in which a table is written. */
export interface WriteTableOptions {
  /** True replaces files of the table's names that are of no earlier one; false by default. */
  readonly replace?: boolean;
}

/** Rows of an earlier file that a table is joined with; undefined where there are none. */
function earlierData(table: Table, path: string, { replace = false }: WriteTableOptions): object | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { text, name, data } = stored(parseStrictJson(readTextFile(path), 64));
    if (name !== table.name) throw new TypeError(`it holds the table ${name}`);
    if (table.join === undefined) return undefined;
    checkShared(table, text);
    return table.read(data);
  } catch (cause) {
    if (replace) return undefined;
    const problem = `${(cause as Error).message}; give another folder, or --force to replace the file`;
    throw new FileFormatError(`${path}: ${problem}`, { cause });
  }
}

/** Refuses files of a table's names where no JSON file says that they are of an earlier one. */
function refuseOthers({ fileName }: Table, folder: string, { replace = false }: WriteTableOptions): void {
  if (replace || existsSync(join(folder, `${fileName}.json`))) return;
  refuseForeign(
    folder,
    ["json", "md", "svg", "png"].map((ending) => `${fileName}.${ending}`),
  );
}

/** RangeError where an option that all rows share has another value in an earlier table. */
function checkShared({ shared, options }: Table, text: string): void {
  if (shared.length === 0) return;
  const earlier = tables.parse(text).options;
  const other = shared.find((option) => JSON.stringify(options[option]) !== JSON.stringify(earlier[option]));
  if (other === undefined) return;
  const [before, now] = [earlier[other], options[other]].map((value) => JSON.stringify(value) ?? "none");
  throw new RangeError(`its rows were made with ${other} ${before}, not ${now}`);
}

/**
 * Checks that a table can be written into a folder, where an earlier one may be whose rows it keeps.
 *
 * @throws FileFormatError that names an earlier file that is damaged, or whose rows were made by other
 *   options; ForeignFileError that names a file of the table's names which is of no table
 * @example
 * checkEarlier(table3({ steps: 100 }), "results");
 */
export function checkEarlier(table: Table, folder: string, options: WriteTableOptions = {}): void {
  earlierData(table, join(folder, `${table.fileName}.json`), options);
  refuseOthers(table, folder, options);
}

/** Finished table or figure, or as much of it as is finished. */
export class TableResult {
  /** Table with its options. */
  readonly table: Table;
  /** Data as the JSON file holds them. */
  readonly data: object;
  /** False where some cells are yet to be finished. */
  readonly complete: boolean;

  constructor(table: Table, data: object, { complete = true }: { readonly complete?: boolean } = {}) {
    this.table = table;
    this.data = data;
    this.complete = complete;
  }

  /** Result of what a JSON file holds. FileFormatError, which begins with `file`, for anything else. */
  static read(json: unknown, file: string): TableResult {
    try {
      const { text, data } = stored(json);
      const table = tables.parse(text);
      return new TableResult(table, table.read(data));
    } catch (cause) {
      throw new FileFormatError(`${file}: ${(cause as Error).message}`, { cause });
    }
  }

  get title(): string {
    return this.table.title;
  }

  /** Sentences that a reader must know. */
  get notes(): readonly string[] {
    return this.table.show(this.data).notes;
  }

  /** Table and notes for a terminal; of a figure the title and the notes. */
  text(style: TableStyle = {}): string {
    const { table, notes } = this.table.show(this.data);
    const head = table === undefined ? [] : ["", renderBlocks(table, table.lead, style)];
    const { width = Number.POSITIVE_INFINITY } = style;
    return [this.title, ...head, "", ...notes.flatMap((note) => wrapWords(note, width))].join("\n");
  }

  /** Title, table and notes in Markdown. */
  markdown(): string {
    const { table, notes } = this.table.show(this.data);
    const body = table === undefined ? [] : [renderTable(table, "markdown")];
    return `${[`# ${this.title}`, ...body, ...notes].join("\n\n")}\n`;
  }

  /** Table as text, and its data. */
  toJSON(): Record<string, unknown> {
    return { table: String(this.table), ...this.data };
  }

  /**
   * Writes NAME.json, and NAME.md of a table, or NAME.svg and NAME.png of a figure. Rows of an earlier file
   * that were not measured again stay.
   *
   * @returns the paths of the files
   * @throws FileFormatError that names an earlier file that is damaged, or whose rows were made by other
   *   options; ForeignFileError that names a file of the table's names which is of no table
   */
  async write(folder: string, options: WriteTableOptions = {}): Promise<string[]> {
    makeFolder(folder);
    removeAbandoned(folder);
    const file = join(folder, this.table.fileName);
    const whole = this.#joined(`${file}.json`, options);
    refuseOthers(this.table, folder, options);
    writeFileAtomic(`${file}.json`, `${JSON.stringify(whole, null, 2)}\n`);
    const { table, chart } = this.table.show(whole.data);
    if (table !== undefined) writeFileAtomic(`${file}.md`, whole.markdown());
    const drawn = chart === undefined ? undefined : await saveChart(file, chart);
    return [
      `${file}.json`,
      ...(table === undefined ? [] : [`${file}.md`]),
      ...(drawn ? [drawn.svg, drawn.png] : []),
    ];
  }

  /** The result, with the rows of an earlier file that were not measured again. */
  #joined(path: string, options: WriteTableOptions): TableResult {
    const { join: joined } = this.table;
    const earlier = earlierData(this.table, path, options);
    if (joined === undefined || earlier === undefined) return this;
    return new TableResult(this.table, joined(this.data, earlier), this);
  }
}
