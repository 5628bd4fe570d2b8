// Program of a process that does one cell for `runCellsAtOnce`: it is sent the cell, and tells what happens.
import { loadUserModule } from "../../base/index.js";
import { setThreads, workApart } from "../../engine/index.js";
import type { CellTask } from "./cell-apart.js";
import { runCells } from "./run-cells.js";
import { cellOf } from "./stored-cell.js";

workApart(async function* ({ cell, options, imports }: CellTask, signal) {
  for (const file of imports) await loadUserModule(file);
  if (options.threads !== undefined) setThreads(options.threads);
  yield* runCells([cellOf(cell)], options, signal);
});
