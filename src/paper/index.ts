import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { tables } from "./table.js";

export { type AccuracyTableParts, defineAccuracyTable } from "./accuracy/accuracy-table.js";
export { type AccuracyColumn, type Column, clean, type TrainingColumn } from "./accuracy/column.js";
export type { AccuracyData, MeasuredRow, Measurement } from "./accuracy/data.js";
export type { Limits, Row } from "./accuracy/row.js";
export { type Spread, spreadText } from "./accuracy/spread.js";
export * from "./all.js";
export { contenderRows, noiseFreeRow } from "./contenders.js";
export { demo } from "./demo.js";
export { expected, type Published } from "./expected.js";
export { sizeOptions } from "./options.js";
export { checkEarlier, TableResult, type WriteTableOptions } from "./result.js";
export type { Answer, Cell, CellEvent, CellOutcome, Question } from "./runner/cell.js";
export { mergeTable, tableOfShards } from "./runner/merge-table.js";
export { type RunTableOptions, runTable, type TableEvent } from "./runner/run-table.js";
export { type Machine, shareMachine } from "./runner/share-machine.js";
export { runTableShard, type TableShardEvent, type TableShardOptions } from "./runner/table-shard.js";
export {
  defineTable,
  type Found,
  type ProgressEvent,
  type Shown,
  type Table,
  type TableParts,
  tables,
} from "./table.js";
export { table1Columns } from "./tables/table1.js";

tables.include(...Object.values(all));

/** Text of a table or figure of the package. */
export type TableText = TextOf<typeof all>;
