import { EventEmitter, on, setMaxListeners } from "node:events";
import { checkNumber, type Steps } from "../../base/index.js";
import type { Cell, CellEvent, CellOptions, CellOutcome } from "./cell.js";
import { runCellApart } from "./cell-apart.js";
import { runCells } from "./run-cells.js";
import { type Share, shareMachine } from "./share-machine.js";
import { isStorable, storedCell } from "./stored-cell.js";

/** Manner in which several cells are done. `threads` are those of each cell. */
export interface AtOnceOptions extends CellOptions {
  /** Cells at a time, each in a process of its own; 1 does them in this process, in turn. */
  readonly jobs: number;
  /** URLs of modules that each process loads first, such as those that register attacks. */
  readonly imports?: readonly string[] | undefined;
}

/** Share of the machine for each of several cells: all of it where they are done in this process, in turn. */
export function shareForCells(cells: readonly Cell[], asked: Parameters<typeof shareMachine>[1]): Share {
  return shareMachine(cells.length, cells.every(isStorable) ? asked : { ...asked, jobs: 1 });
}

/**
 * Does cells as `runCells` does, several at a time, since small models gain little from a second thread.
 * Cells with a model or images of the user's own are done in this process, in turn.
 *
 * Events of different cells are mixed. When a cell fails, the others stop where they can go on later, and its
 * error is thrown. Returns the outcomes in the cells' order, and undefined where the signal stopped it.
 */
export async function* runCellsAtOnce(
  cells: readonly Cell[],
  { jobs, imports = [], ...options }: AtOnceOptions,
  signal: AbortSignal,
): Steps<CellEvent, CellOutcome[]> {
  checkNumber("jobs", jobs, "a whole number >= 1", Number.isInteger(jobs) && jobs >= 1);
  if (jobs === 1 || cells.length < 2 || !cells.every(isStorable))
    return yield* runCells(cells, options, signal);
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  // One listener a process; by default Node warns of more than ten.
  setMaxListeners(0, stopped);
  const feed = new EventEmitter();
  const events = on(feed, "event", { close: ["end"] });
  const waiting = [...cells];
  const worker = async () => {
    for (let cell = waiting.shift(); cell !== undefined && !stopped.aborted; cell = waiting.shift()) {
      const task = { cell: storedCell(cell), options, imports };
      await runCellApart(task, stopped, (event) => feed.emit("event", event));
    }
  };
  const failures: unknown[] = [];
  const workers = Array.from({ length: Math.min(jobs, cells.length) }, () =>
    worker().catch((error) => {
      failures.push(error);
      stop.abort();
    }),
  );
  const all = Promise.all(workers).then(() => feed.emit("end"));
  const outcomes = new Map<string, CellOutcome>();
  try {
    for await (const [event] of events as AsyncIterable<[CellEvent]>) {
      if (event.type === "outcome") outcomes.set(event.cell, event.outcome);
      yield event;
    }
  } finally {
    // Left early as well as at the end: no process stays behind.
    stop.abort();
    await all;
  }
  if (failures.length > 0) throw failures[0];
  if (outcomes.size < cells.length) return undefined;
  return cells.map(({ name }) => outcomes.get(name)!);
}
