// Program of a process that does one cell for `runCellsAtOnce`: it is sent the cell, and tells what happens.
import { loadUserModule } from "../../base/index.js";
import { abortOn, setThreads } from "../../engine/index.js";
import { type CellMessage, type CellTask, stopMessage, stopSignal } from "./cell-apart.js";
import { runCells } from "./run-cells.js";
import { cellOf } from "./stored-cell.js";

const stop = new AbortController();
// Also when the parent was killed: what was trained is kept.
process.on("disconnect", () => stop.abort());
abortOn(stopSignal, stop);

process.on("message", async (message: CellTask | typeof stopMessage) => {
  if (message === stopMessage) return stop.abort();
  const { cell, options, imports } = message;
  try {
    for (const file of imports) await loadUserModule(file);
    if (options.threads !== undefined) setThreads(options.threads);
    for await (const event of runCells([cellOf(cell)], options, stop.signal)) tell({ event });
  } catch (error) {
    tell({ error: error instanceof Error ? error : new Error(String(error)) });
  }
  // What is under way when the channel closes would be lost, where the parent is slow to read it.
  await told;
  if (process.connected) process.disconnect();
});

/** Settles when the last message has been sent, and so all before it. */
let told: Promise<void> = Promise.resolve();

function tell(message: CellMessage): void {
  if (!process.connected) return;
  // The parent may go while a message is under way, which `disconnect` tells soon after.
  told = new Promise((done) => process.send?.(message, undefined, {}, () => done()));
}
