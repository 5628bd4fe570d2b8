import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { onChanges } from "./changes.js";

/** Server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Looks at what is new since the last look. */
export interface Follower {
  /** Folders in which changes are to be noticed at once. */
  readonly folders: readonly string[];
  look(): readonly StreamEvent[];
  /** Place that the last look reached: a page that was cut off comes back with it. */
  place(): string;
}

/** Milliseconds after which a page that was cut off comes back. */
const retry = 1000;

/** Milliseconds between two signs of life, by which an end that is gone is noticed. */
const signOfLife = 15_000;

/** Answers with events for as long as the page listens. */
export function streamOf(c: Context, follower: Follower): Response {
  // Nobody reads the body of such an answer, so that nothing would ever end it.
  if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
  return streamSSE(c, async (stream) => {
    let sending: Promise<unknown> = stream.writeSSE({ event: "hello", data: "", retry });
    const send = (event: string, data: unknown, id?: string) => {
      const message = { event, data: JSON.stringify(data), ...(id === undefined ? {} : { id }) };
      sending = sending.then(() => stream.writeSSE(message));
    };
    const tell = () => {
      try {
        const events = follower.look();
        for (const { event, data } of events) send(event, data, follower.place());
      } catch {
        send("gone", null);
      }
    };
    tell();
    const end = onChanges(follower.folders, tell);
    const alive = setInterval(() => send("alive", null), signOfLife);
    await new Promise<void>((done) => {
      stream.onAbort(() => done());
      c.req.raw.signal.addEventListener("abort", () => done());
    });
    clearInterval(alive);
    end();
    await sending.catch(() => {});
  });
}

/** Place where a page left off: that of the last event that it got, else where it says to begin. */
export function leftOff(c: Context): string {
  return c.req.header("Last-Event-ID") ?? c.req.query("after") ?? "";
}

/** Follows several things; each has its part of the place. */
export function together(followers: readonly Follower[]): Follower {
  return {
    folders: followers.flatMap(({ folders }) => folders),
    look: () => followers.flatMap((follower) => follower.look()),
    place: () => followers.map((follower) => follower.place()).join("~"),
  };
}

/** Follows a mark, and tells by the name of an event that it has changed since the page's. */
export function followMark(
  event: string,
  folders: readonly string[],
  mark: () => string,
  last: string | undefined,
): Follower {
  let known = last;
  return {
    folders,
    look() {
      const now = mark();
      if (now === known) return [];
      known = now;
      return [{ event, data: null }];
    },
    place: () => known ?? "",
  };
}
