import { errorOf, isAbort } from "../../base/index.js";
import { abortOn } from "../signals.js";
import { type ApartMessage, stopMessage, stopSignal } from "./run-apart.js";

/**
 * Makes this process do the work that `runApart` sends it, and tell what happens. It stops where it can go on
 * later when it is told to, and when its parent is gone.
 */
export function workApart<Task, Event>(
  work: (task: Task, signal: AbortSignal) => AsyncIterable<Event>,
): void {
  const stop = new AbortController();
  /** Settles when the last message has been sent, and so all before it. */
  let told: Promise<void> = Promise.resolve();
  const tell = (message: ApartMessage<Event>) => {
    if (!process.connected) return;
    // The parent may go while a message is under way, which `disconnect` tells soon after.
    told = new Promise((done) => process.send?.(message, undefined, {}, () => done()));
  };
  // Also when the parent was killed: what is finished is kept.
  process.on("disconnect", () => stop.abort());
  abortOn(stopSignal, stop);
  process.on("message", async (message: Task | typeof stopMessage) => {
    if (message === stopMessage) return stop.abort();
    try {
      for await (const event of work(message as Task, stop.signal)) tell({ event });
    } catch (error) {
      if (!stop.signal.aborted || !isAbort(error)) tell({ error: errorOf(error) });
    }
    // What is under way when the channel closes would be lost, where the parent is slow to read it.
    await told;
    if (process.connected) process.disconnect();
  });
}
