// The program of a process that does one cell for `runCellsAtOnce`: it is told the cell, and tells what happens.
import { setThreads } from "../engine/index.js";
import { type CellMessage, type CellTask, stopMessage } from "./cells-at-once.js";
import { runCells } from "./experiment.js";

const stop = new AbortController();
// Also when the parent was killed: what was trained is kept.
process.on("disconnect", () => stop.abort());

process.on("message", async (message: CellTask | typeof stopMessage) => {
  if (message === stopMessage) return stop.abort();
  const { cell, options } = message;
  try {
    if (options.threads !== undefined) setThreads(options.threads);
    for await (const event of runCells([cell], { ...options, signal: stop.signal })) tell({ event });
  } catch (error) {
    tell({ error: error instanceof Error ? error : new Error(String(error)) });
  }
  // The messages that are under way are sent before the process ends.
  if (process.connected) process.disconnect();
});

function tell(message: CellMessage): void {
  // The parent may go while a message is under way, which `disconnect` tells soon after.
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
