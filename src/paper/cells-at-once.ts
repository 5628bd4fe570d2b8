import { fork } from "node:child_process";
import { EventEmitter, on, setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import type { TrainOptions } from "../training/index.js";
import { type Cell, type ExperimentEvent, runCells } from "./experiment.js";

/** How many cells are done at the same time, each in a process of its own; `threads` are those of one cell. */
export interface AtOnceOptions extends TrainOptions {
  runs: string;
  /** 1 or more; 1 does them in this process, one after another. */
  jobs: number;
}

/**
 * Does cells as `runCells` does, several at once: small networks gain little from a second thread, and cells do not wait for
 * each other. Events of different cells are mixed; the outcomes come last, in the cells' order. When one cell fails, the
 * others stop as if aborted, and the error is thrown. Ends early when it is aborted, also within an evaluation.
 */
export async function* runCellsAtOnce(
  cells: readonly Cell[],
  { jobs, ...options }: AtOnceOptions,
): AsyncGenerator<ExperimentEvent, void> {
  if (!(Number.isInteger(jobs) && jobs >= 1)) throw new RangeError(`jobs must be an integer >= 1, not ${jobs}`);
  if (jobs === 1 || cells.length < 2) return yield* runCells(cells, options);
  const { signal, ...told } = options;
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // One listener a process; by default Node warns of more than ten.
  setMaxListeners(0, stopped);
  const feed = new EventEmitter();
  const events = on(feed, "event", { close: ["end"] });
  const waiting = [...cells];
  const worker = async () => {
    for (let cell = waiting.shift(); cell !== undefined && !stopped.aborted; cell = waiting.shift()) {
      await runCellApart({ cell, options: told }, stopped, (event) => feed.emit("event", event));
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
  const outcomes: Extract<ExperimentEvent, { type: "outcome" }>[] = [];
  try {
    for await (const [event] of events as AsyncIterable<[ExperimentEvent]>) {
      if (event.type === "outcome") outcomes.push(event);
      else yield event;
    }
  } finally {
    // Left early as well as at the end: no process stays behind.
    stop.abort();
    await all;
  }
  if (failures.length > 0) throw failures[0];
  const place = ({ outcome }: (typeof outcomes)[number]) => cells.findIndex(({ name }) => name === outcome.cell.name);
  yield* outcomes.sort((a, b) => place(a) - place(b));
}

/** What the process of a cell is told first. */
export interface CellTask {
  readonly cell: Cell;
  readonly options: Omit<TrainOptions, "signal"> & { readonly runs: string };
}

/** What it is told then, if anything: to stop where the cell can go on later. */
export const stopMessage = "stop";

/** The same, once it has told anything: synchronous work knows of a signal, and of no message. */
export const stopSignal = "SIGTERM";

/** What it tells: each event, and what went wrong. */
export type CellMessage = { readonly event: ExperimentEvent } | { readonly error: Error };

/** Does one cell in a process of its own, and returns when that has ended; an Error where it ended otherwise than it should. */
function runCellApart(task: CellTask, signal: AbortSignal, tell: (event: ExperimentEvent) => void): Promise<void> {
  // Where this file is not compiled, as in tests, its neighbor is not either, and needs a loader.
  const source = import.meta.url.endsWith(".ts");
  const program = fileURLToPath(new URL(source ? "cell-process.ts" : "cell-process.js", import.meta.url));
  const execArgv = source ? ["--import", "tsx"] : [];
  // Detached, so that Ctrl-C on a terminal reaches this process alone, which then says what it means.
  const child = fork(program, { execArgv, serialization: "advanced", detached: true });
  // Where a message does not get through, the process has ended, and `close` tells how.
  const send = (message: CellTask | typeof stopMessage) => child.connected && child.send(message, () => {});
  // The message finds a process that has yet to begin; the signal one that is in the midst of an attack.
  const stop = () => {
    send(stopMessage);
    if (begun) child.kill(stopSignal);
  };
  let failure: Error | undefined;
  let begun = false;
  let finished = false;
  child.on("message", (message: CellMessage) => {
    if (!begun && signal.aborted) child.kill(stopSignal);
    begun = true;
    if ("error" in message) failure = message.error;
    else {
      finished ||= message.event.type === "outcome";
      tell(message.event);
    }
  });
  return new Promise<void>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, killed) => {
      if (failure === undefined && (code !== 0 || !(finished || signal.aborted))) {
        const how = killed ?? (code === 0 ? "being told to stop" : `exit code ${code}`);
        failure = new Error(`the process of ${task.cell.name} ended by ${how}`);
      }
      if (failure === undefined) done();
      else fail(failure);
    });
    send(task);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }).finally(() => signal.removeEventListener("abort", stop));
}
