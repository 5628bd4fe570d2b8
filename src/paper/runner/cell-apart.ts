import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CellEvent, CellOptions } from "./cell.js";
import type { StoredCell } from "./stored-cell.js";

/** First message to the process of a cell. */
export interface CellTask {
  readonly cell: StoredCell;
  readonly options: CellOptions;
  /** Paths of modules to load first. */
  readonly imports: readonly string[];
}

/** Message to stop where the cell can go on later. */
export const stopMessage = "stop";

/** Signal of the same meaning for a process in synchronous work, which learns of no message. */
export const stopSignal = "SIGTERM";

/** Message from the process of a cell: an event, or what went wrong. */
export type CellMessage = { readonly event: CellEvent } | { readonly error: Error };

/**
 * Does one cell in a process of its own. Returns when that has ended; an Error where it ended otherwise than
 * it should.
 */
export function runCellApart(
  task: CellTask,
  signal: AbortSignal,
  tell: (event: CellEvent) => void,
): Promise<void> {
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
