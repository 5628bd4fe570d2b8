import {
  checkFolder,
  checkKind,
  checkNumber,
  checkOptionNames,
  isObject,
  type Steps,
  Work,
} from "../../base/index.js";
import { checkDevice, threads as currentThreads, setThreads } from "../../engine/index.js";
import type { Definition } from "../../options/index.js";
import { TableResult } from "../result.js";
import { type Found, type ProgressEvent, type Table, tables } from "../table.js";
import type { CellEvent, CellOutcome } from "./cell.js";
import { runCellsAtOnce, shareForCells } from "./cells-at-once.js";
import { checkCells } from "./check-cells.js";
import { machineWith } from "./share-machine.js";

/**
 * Manner in which a table is made. Its numbers depend on the device and the threads in their last bits at
 * most.
 */
export interface RunTableOptions {
  /** Folder of run folders, where finished runs and evaluations are found again; "runs" by default. */
  readonly runs?: string | undefined;
  /** Device that computes: `cpu` (the default), `cuda` or `cuda:N`. */
  readonly device?: string | undefined;
  /**
   * Runs at a time, each in a process of its own; as many as processors on a CPU without `threads`, else 1.
   * Runs of a model or images of your own are made in this process, in turn.
   */
  readonly jobs?: number | undefined;
  /**
   * Threads of an operator; by default an even share of the processors, or libtorch's own choice for one job.
   */
  readonly threads?: number | undefined;
  /** Paths of modules that the processes of runs load first, such as those that register attacks. */
  readonly imports?: readonly string[] | undefined;
  /** Aborting stops the work where it can go on later. */
  readonly signal?: AbortSignal | undefined;
}

/** Event of a table in the making. */
export type TableEvent =
  /** `cells` are the names of the runs. */
  | {
      readonly type: "start";
      readonly table: string;
      readonly cells: readonly string[];
      readonly jobs: number;
    }
  | CellEvent
  | ProgressEvent
  /** Another row is whole. */
  | { readonly type: "rows"; readonly result: TableResult };

/**
 * Makes a table or figure: awaited it gives the result, watched its events. Finished runs and evaluations are
 * reused; stopped ones go on.
 *
 * @param table definition or name: `table1`, `"table1"`, or one of `tables.definitions`
 * @param options options of the table, such as `{ model: ["small"], seeds: 1 }`
 * @throws RangeError or TypeError for options that the table does not take, before anything runs
 * @example
 * const result = await runTable(table1, { model: ["small"], preset: "mnist-short" }, { runs: "runs" });
 * console.log(result.text({ width: 120 }));
 * await result.write("results");
 */
export function runTable(
  table: Definition<Table> | string,
  options: Readonly<Record<string, unknown>> = {},
  work: RunTableOptions = {},
): Work<TableEvent, TableResult> {
  const { value, settings } = tableSettings(table, options, work);
  return new Work((stopped) => steps(value, settings, stopped), work.signal);
}

/** Table that is asked for, and its options of work, checked; `others` are names of further ones. */
export function tableSettings(
  table: Definition<Table> | string,
  options: Readonly<Record<string, unknown>>,
  work: RunTableOptions,
  others: readonly string[] = [],
): { readonly value: Table; readonly settings: Settings } {
  checkKind("the options of the work", work, "an object", isObject(work));
  checkOptionNames(work, ["runs", "device", "jobs", "threads", "imports", "signal", ...others]);
  const { runs = "runs", jobs, threads, imports = [] } = work;
  const device = checkDevice(work.device ?? "cpu");
  checkFolder("runs", runs);
  for (const [name, count] of Object.entries({ jobs, threads })) {
    if (count !== undefined)
      checkNumber(name, count, "a whole number >= 1", Number.isInteger(count) && count >= 1);
  }
  const value = (typeof table === "string" ? tables.definition(table) : table).make(options);
  return { value, settings: { runs, device, jobs, threads, imports } };
}

/** Options with their defaults. */
export interface Settings extends Omit<RunTableOptions, "signal"> {
  readonly runs: string;
  readonly device: string;
}

async function* steps(table: Table, settings: Settings, signal: AbortSignal): Steps<TableEvent, TableResult> {
  const { runs, device, imports } = settings;
  const cells = table.cells(device);
  const asked = table.timed ? { ...settings, jobs: 1 } : settings;
  const { jobs, threads } = shareForCells(cells, asked);
  const threadsBefore = currentThreads();
  try {
    if (threads !== undefined) setThreads(threads);
    checkCells(cells, runs);
    yield { type: "start", table: String(table), cells: cells.map(({ name }) => name), jobs };
    const outcomes = new Map<string, CellOutcome>();
    const found: Found = { outcomes, machine: machineWith(device), device, signal };
    const work = runCellsAtOnce(cells, { runs, device, threads, jobs, imports }, signal);
    let shown = "";
    let step = await work.next();
    for (; step.done !== true; step = await work.next()) {
      yield step.value;
      if (step.value.type !== "outcome") continue;
      outcomes.set(step.value.cell, step.value.outcome);
      if (!table.rowByRow || outcomes.size === cells.length) continue;
      const data = yield* table.gather(found);
      const text = JSON.stringify(data);
      if (data === undefined || text === shown) continue;
      shown = text;
      yield { type: "rows", result: new TableResult(table, data, { complete: false }) };
    }
    if (step.value === undefined) return undefined;
    const data = yield* table.gather(found);
    return data === undefined ? undefined : new TableResult(table, data);
  } finally {
    setThreads(threadsBefore);
  }
}
