import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, ServerError } from "./api.js";

/** Data of the server: what came last, and what went wrong last. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  reload(): void;
}

/** Milliseconds between two answers of a path that is loaded again and again. */
const restBetween = 300;

/**
 * Loads a path, and loads it again on `reload`; an undefined path loads nothing. Of many reloads at once,
 * while an answer is on its way or has just come, one is made.
 */
export function useLoaded<T>(path: string | undefined): Loaded<T> {
  const [found, setFound] = useState<{ readonly path: string; readonly data: T }>();
  const [error, setError] = useState<string>();
  const ask = useRef(() => {});
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let state: "idle" | "asking" | "asked again" = "idle";
    const load = async () => {
      state = "asking";
      try {
        const data = await get<T>(path, stop.signal);
        if (stop.signal.aborted) return;
        setFound({ path, data });
        setError(undefined);
      } catch (cause) {
        if (stop.signal.aborted) return;
        setError(cause instanceof ServerError ? cause.message : "the server does not answer");
      }
      timer = setTimeout(() => {
        if (state === "asked again") load();
        else state = "idle";
      }, restBetween);
    };
    ask.current = () => {
      if (state === "idle") load();
      else state = "asked again";
    };
    load();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path]);
  const reload = useCallback(() => ask.current(), []);
  // Nobody is shown what was loaded for another path.
  return { data: found?.path === path ? found?.data : undefined, error, reload };
}

/** Listeners by the name of their event. */
export type Listeners = Readonly<Record<string, (data: string) => void>>;

/** State of the line to the server. */
export type Line = "connecting" | "live" | "broken";

/** Milliseconds between two tries to reach a server that is gone. */
const again = 2000;

/** Lines that are open, by which the page's head shows how they are. */
let tellLine: (line: Line | undefined) => void = () => {};

/** State of the page's line to the server; undefined while it needs none. */
export function useLine(): Line | undefined {
  const [line, setLine] = useState<Line>();
  useEffect(() => {
    tellLine = setLine;
  }, []);
  return line;
}

/**
 * Follows the server's stream while the page is visible: a browser keeps few lines to a server. It comes
 * back by itself, with the id of the last event, where the line broke. Where the server is gone or refuses,
 * this tries again, and calls the listener `reopened`.
 */
export function useStream(path: string | undefined, listeners: Listeners): void {
  const latest = useRef(listeners);
  latest.current = listeners;
  useEffect(() => {
    if (path === undefined) return;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const names = Object.keys(latest.current);
    const close = () => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
    };
    const open = () => {
      close();
      const opened = new EventSource(path);
      source = opened;
      tellLine("connecting");
      opened.addEventListener("hello", () => tellLine("live"));
      for (const name of names) {
        opened.addEventListener(name, (event) =>
          latest.current[name]?.((event as MessageEvent<string>).data),
        );
      }
      opened.onerror = () => {
        tellLine("broken");
        if (opened.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(reopen, again);
      };
    };
    const reopen = () => {
      latest.current.reopened?.("");
      open();
    };
    const heed = () => (document.hidden ? close() : reopen());
    open();
    document.addEventListener("visibilitychange", heed);
    return () => {
      document.removeEventListener("visibilitychange", heed);
      close();
      tellLine(undefined);
    };
  }, [path]);
}
