import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { onChanges } from "./changes.js";

/** Server-sent event; its id is what a page that was cut off comes back with. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** Milliseconds after which a page that was cut off comes back. */
const retry = 1000;

/** Milliseconds between two signs of life, by which an end that is gone is noticed. */
const signOfLife = 15_000;

/**
 * Answers with events for as long as the page listens.
 *
 * @param folder whose changes are followed
 * @param look says what is new since the last look; the first begins where the page left off
 */
export function streamOf(c: Context, folder: string, look: () => readonly StreamEvent[]): Response {
  return streamSSE(c, async (stream) => {
    let sending: Promise<unknown> = stream.writeSSE({ event: "hello", data: "", retry });
    const send = (event: string, data: string, id?: string) => {
      sending = sending.then(() => stream.writeSSE({ event, data, ...(id === undefined ? {} : { id }) }));
    };
    const tell = () => {
      try {
        for (const { event, id, data } of look()) send(event, JSON.stringify(data), id);
      } catch {
        send("gone", "");
      }
    };
    const ends = [onChanges(folder, tell)];
    const alive = setInterval(() => send("alive", ""), signOfLife);
    tell();
    await new Promise<void>((done) => {
      stream.onAbort(() => done());
      c.req.raw.signal.addEventListener("abort", () => done());
    });
    clearInterval(alive);
    for (const end of ends) end();
    await sending.catch(() => {});
  });
}

/** Place where a page left off: the id of the last event that it got, else where it says to begin. */
export function leftOff(c: Context): string | undefined {
  return c.req.header("Last-Event-ID") ?? c.req.query("after");
}

/** Look that tells of a change of a mark. */
export function markLook(mark: () => string, last: string | undefined): () => StreamEvent[] {
  let known = last;
  return () => {
    const now = mark();
    if (now === known) return [];
    known = now;
    return [{ event: "changed", id: now, data: null }];
  };
}
