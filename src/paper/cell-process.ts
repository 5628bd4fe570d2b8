// The program of a process that does one cell for `runCellsAtOnce`: it is told the cell, and tells what happens.
import { abortOn, setThreads } from "../engine/index.js";
import { type CellMessage, type CellTask, stopMessage, stopSignal } from "./cells-at-once.js";
import { runCells } from "./experiment.js";

const stop = new AbortController();
// Also when the parent was killed: what was trained is kept.
process.on("disconnect", () => stop.abort());
abortOn(stopSignal, stop);

process.on("message", async (message: CellTask | typeof stopMessage) => {
  if (message === stopMessage) return stop.abort();
  const { cell, options } = message;
  try {
    if (options.threads !== undefined) setThreads(options.threads);
    for await (const event of runCells([cell], { ...options, signal: stop.signal })) tell({ event });
  } catch (error) {
    tell({ error: error instanceof Error ? error : new Error(String(error)) });
  }
  // What is under way when the channel closes would be lost, where the parent is slow to read it.
  await told;
  if (process.connected) process.disconnect();
});

/** Until the last message has been sent, and so all before it. */
let told: Promise<void> = Promise.resolve();

function tell(message: CellMessage): void {
  if (!process.connected) return;
  // The parent may go while a message is under way, which `disconnect` tells soon after.
  told = new Promise((done) => process.send?.(message, undefined, {}, () => done()));
}
