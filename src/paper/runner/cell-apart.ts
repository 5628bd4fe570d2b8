import { programBeside, runApart } from "../../engine/index.js";
import type { CellEvent, CellOptions } from "./cell.js";
import type { StoredCell } from "./stored-cell.js";

/** Message to the process of a cell. */
export interface CellTask {
  readonly cell: StoredCell;
  readonly options: CellOptions;
  /** Paths of modules to load first. */
  readonly imports: readonly string[];
}

/**
 * Does one cell in a process of its own. Returns when that has ended; an Error where it ended otherwise than
 * it should.
 */
export function runCellApart(
  task: CellTask,
  signal: AbortSignal,
  tell: (event: CellEvent) => void,
): Promise<void> {
  const program = programBeside(import.meta.url, "cell-process");
  const isLast = ({ type }: CellEvent) => type === "outcome";
  return runApart({ name: task.cell.name, program, task, isLast, tell }, signal);
}
