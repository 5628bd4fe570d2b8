import type { TopLevelSpec } from "vega-lite";
import type * as z from "zod";
import { firstFault, type Steps } from "../base/index.js";
import { changedOptions, type Factory, formatRatio, Kind, type Value } from "../options/index.js";
import type { Table as TextTable } from "../report/index.js";
import type { Cell, CellOutcome } from "./runner/cell.js";
import type { Machine } from "./runner/share-machine.js";

/** Progress of work that comes after the cells, such as t-SNE. */
export interface ProgressEvent {
  readonly type: "progress";
  /** Name of the work: "t-SNE, SQA". */
  readonly work: string;
  readonly done: number;
  readonly total: number;
  /** Numbers to show beside it, as text. */
  readonly metrics?: Readonly<Record<string, string>>;
}

/** Finished cells of a table, out of which its data are gathered. */
export interface Found {
  /** By the names of their cells. */
  readonly outcomes: ReadonlyMap<string, CellOutcome>;
  /** Machine that gathers, which is that of all cells where nothing else is said. */
  readonly machine: Machine;
  /** Machines of cells that were made as shards, by the names of the cells. */
  readonly machines?: ReadonlyMap<string, Machine>;
  readonly device: string;
  readonly signal: AbortSignal;
}

/** Form in which a table or figure is shown. */
export interface Shown {
  /** `lead` columns at the left name the rows. */
  readonly table?: TextTable & { readonly lead: number };
  /** Vega-lite chart of a figure. */
  readonly chart?: TopLevelSpec;
  /** Sentences that a reader must know. */
  readonly notes: readonly string[];
}

/** Table or figure before its options name it. `Data` is what its JSON file holds. */
export interface TableWork<Data extends object = object> {
  /** Heading, in plain words. */
  readonly title: string;
  /** Name of its files, without an ending. */
  readonly fileName: string;
  /** True where its work is timed, and so done alone. */
  readonly timed: boolean;
  /** True where rows can be shown before every cell is finished. */
  readonly rowByRow: boolean;
  /** Runs, and what their models are asked. */
  cells(device: string): readonly Cell[];
  /**
   * Gathers the data of finished cells; undefined where no row is whole yet, or where the signal stopped it.
   */
  gather(found: Found): Steps<ProgressEvent, Data>;
  /**
   * Data with the rows of an earlier file that were not measured again; undefined for what has no such rows.
   */
  readonly join?: ((data: Data, earlier: Data) => Data) | undefined;
  /** Options that the sentences beside all rows tell: rows made with other values are not joined. */
  readonly shared: readonly string[];
  /** Data as a JSON file holds them, checked. RangeError or TypeError that says what is wrong. */
  read(json: unknown): Data;
  show(data: Data): Shown;
}

/** Table or figure with its options, such as `table1({ model: ["small"] })`. */
export interface Table extends TableWork, Value {
  readonly name: string;
}

/** Every table and figure by its name: `tables.parse("table1(model=[small])")`. */
export const tables = new Kind<TableWork, Table>("table", "table1(model=[small])");

/** Parts of a table or figure. */
export interface TableParts<Schema extends z.ZodObject, Data extends object> {
  /** One line for lists and help. */
  readonly summary: string;
  /** Heading, in plain words. */
  readonly title: string | ((options: z.output<Schema>) => string);
  readonly options: Schema;
  /** Form of the data, as its JSON file holds them. */
  readonly data: z.ZodType<Data>;
  /** True where its work is timed, and so done alone; false where left out. */
  readonly timed?: boolean;
  /** True where `gather` can be called before every cell is finished; false where left out. */
  readonly rowByRow?: boolean;
  /** Runs, and what their models are asked; none where left out. */
  cells?(options: z.output<Schema>, device: string): readonly Cell[];
  /** Gathers the data; undefined where no row is whole yet, or where the signal stopped it. */
  gather(options: z.output<Schema>, found: Found): Data | undefined | Steps<ProgressEvent, Data>;
  /**
   * Data with the rows of an earlier file that were not measured again; an earlier file is replaced where
   * left out.
   */
  join?(data: Data, earlier: Data): Data;
  /** Options that the sentences beside all rows tell; none where left out. */
  readonly shared?: readonly string[];
  show(data: Data, options: z.output<Schema>): Shown;
}

/**
 * Defines a table or figure; `tables.register` makes it known by its name.
 *
 * Tables of accuracies are shorter by `defineAccuracyTable`.
 *
 * @example
 * export const parameters = defineTable("parameters", {
 *   summary: "number of parameters of SMALL",
 *   title: "Parameters of SMALL",
 *   options: z.strictObject({}),
 *   data: z.object({ count: z.int() }),
 *   gather: () => ({ count: parameterCount(small().build({ seed: 0 }).module) }),
 *   show: ({ count }) => ({ table: { lead: 0, columns: ["parameters"], rows: [[count]] }, notes: [] }),
 * });
 */
export function defineTable<const Name extends string, Schema extends z.ZodObject, Data extends object>(
  name: Name,
  parts: TableParts<Schema, Data>,
): Factory<Table, Name, Schema> {
  tables.checkParts(name, parts);
  const { summary, title, options: schema, data: form, timed = false, rowByRow = false } = parts;
  return tables.define(name, {
    summary,
    options: schema,
    create(options): TableWork {
      const work: TableWork<Data> = {
        title: typeof title === "string" ? title : title(options),
        fileName: fileName(name, schema, options),
        timed,
        rowByRow,
        cells: (device) => parts.cells?.(options, device) ?? [],
        async *gather(found) {
          const data = parts.gather(options, found);
          return isSteps(data) ? yield* data : data;
        },
        join: parts.join,
        shared: parts.shared ?? [],
        read: (json) => checkedData(form, json),
        show: (data) => parts.show(data, options),
      };
      return work as unknown as TableWork;
    },
  });
}

/** Data that a form accepts. TypeError that names the first fault. */
function checkedData<Data>(form: z.ZodType<Data>, json: unknown): Data {
  const { success, data, error } = form.safeParse(json);
  if (success) return data;
  throw new TypeError(firstFault(error));
}

/** Tells steps from data that need none. */
export function isSteps<Event, Data>(
  data: Data | undefined | Steps<Event, Data>,
): data is Steps<Event, Data> {
  return typeof data === "object" && data !== null && Symbol.asyncIterator in data;
}

/** Options whose choice is part of a file's name: a table with another preset is another table. */
const namedOptions = ["preset", "data", "model", "method", "epsilon"];

/**
 * Name of a table's files: its own, and each choice in place of the usual. Rows of several models share a
 * file.
 */
function fileName(name: string, schema: z.ZodObject, options: Readonly<Record<string, unknown>>): string {
  const changed = changedOptions(schema, options);
  const choices = namedOptions.map((option) => changed[option]).filter((choice) => choice !== undefined);
  const words = choices
    .filter((choice) => !Array.isArray(choice))
    .map(wordOf)
    .filter((word) => word !== identityOf(schema.shape.data));
  return [name, ...words].map((word) => word.replace(/[^A-Za-z0-9.]+/g, "-").replace(/-$/, "")).join("-");
}

/** A choice as a word of a file's name. */
function wordOf(choice: unknown): string {
  if (typeof choice === "number") return formatRatio(choice);
  return isData(choice) ? choice.identity : String(choice);
}

/** Tells whether a choice is a data set, whose folder is no part of its identity. */
function isData(choice: unknown): choice is { readonly identity: string } {
  return typeof choice === "object" && choice !== null && "identity" in choice;
}

/** Identity of a table's usual data set; undefined for a table without. */
function identityOf(option: z.ZodType | undefined): string | undefined {
  const usual = option?.safeParse(undefined);
  return usual?.success === true && isData(usual.data) ? usual.data.identity : undefined;
}
