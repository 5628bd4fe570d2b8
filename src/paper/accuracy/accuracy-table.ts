import type { TopLevelSpec } from "vega-lite";
import type * as z from "zod";
import type { Factory } from "../../options/index.js";
import { defineTable, type Table, type TableParts } from "../table.js";
import type { Column } from "./column.js";
import {
  type AccuracyData,
  accuracySchema,
  joinedRows,
  type LimitOptions,
  limitsOf,
  type MeasuredRow,
  measuredRows,
} from "./data.js";
import { accuracyNotes } from "./notes.js";
import { accuracyTable, filledColumns } from "./render.js";
import { type Limits, planOf, type Row } from "./row.js";

/** Parts of a table of accuracies. */
export interface AccuracyTableParts<Schema extends z.ZodObject>
  extends Pick<TableParts<Schema, AccuracyData>, "summary" | "title" | "options" | "timed" | "shared"> {
  /** Columns, from left to right. */
  readonly columns: readonly Column[] | ((options: z.output<Schema>) => readonly Column[]);
  /** Rows, from top to bottom; `device` decides where options leave something open. */
  rows(options: z.output<Schema>, device: string): readonly Row[];
  /** Numbers of test images; those of the options where left out. */
  limits?(options: z.output<Schema>, device: string): Limits;
  /** Sentences before those that every table has. */
  notes?(rows: readonly MeasuredRow[], options: z.output<Schema>): readonly string[];
  /** Chart in place of the table. */
  chart?(rows: readonly MeasuredRow[], options: z.output<Schema>): TopLevelSpec;
}

/** Refuses more images under strong attacks than under the others. */
function checkLimits({ limit, attackLimit }: LimitOptions, issues: z.core.$ZodRawIssue[]): void {
  if (limit === undefined || attackLimit === undefined || attackLimit <= limit) return;
  const message = `at most limit, ${limit}`;
  issues.push({ code: "custom", message, path: ["attackLimit"], input: attackLimit });
}

/**
 * Defines a table of accuracies: it trains each row with its seeds, asks the models for each column, and
 * finds what was measured by the keys of rows and columns.
 *
 * @example
 * export const table = defineAccuracyTable("restarts", {
 *   summary: "accuracy of SMALL under PGD with restarts",
 *   title: "PGD with restarts",
 *   options: z.strictObject(sizeOptions),
 *   columns: [clean, { key: "pgd", title: "PGD, 10 restarts", attack: pgd({ restarts: 10 }), strong: true }],
 *   rows: (options) => contenderRows(small(), { data: mnist(), method: fgsm() }, options),
 * });
 */
export function defineAccuracyTable<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  parts: AccuracyTableParts<Schema>,
): Factory<Table, Name, Schema> {
  const { summary, title, timed, shared = [], rows, limits, notes, chart } = parts;
  type Options = z.output<Schema>;
  const columnsOf = (options: Options) =>
    typeof parts.columns === "function" ? parts.columns(options) : parts.columns;
  const planFor = (options: Options, device: string) => {
    const images = limits?.(options, device) ?? limitsOf(options as LimitOptions);
    return planOf(rows(options, device), columnsOf(options), images);
  };
  const options = parts.options.check(({ value, issues }) =>
    checkLimits(value as LimitOptions, issues),
  ) as Schema;
  return defineTable(name, {
    summary,
    title,
    options,
    data: accuracySchema,
    timed: timed ?? false,
    rowByRow: chart === undefined,
    cells: (given, device) => planFor(given, device).cells,
    gather(given, found) {
      const measured = measuredRows(planFor(given, found.device).rows, columnsOf(given), found);
      return measured.length === 0 ? undefined : { rows: measured };
    },
    join: joinedRows,
    shared,
    show(data: AccuracyData, given) {
      const columns = filledColumns(data.rows, columnsOf(given));
      const sentences = [...(notes?.(data.rows, given) ?? []), ...accuracyNotes(data.rows, columns)];
      if (chart !== undefined) return { chart: chart(data.rows, given), notes: sentences };
      return { table: accuracyTable(data.rows, columns), notes: sentences };
    },
  });
}
