import type { Follower } from "../live/stream.js";
import { cursorOf, cursorText, loggedAfter } from "./run-log.js";

/** Lines of steps that are sent at once: a page that has none yet has loaded the rest. */
const mostSteps = 2000;

/** Follows what a run logs, behind a cursor; logs that were begun anew are told of as `anew`. */
export function followRun(folder: string, after: string | undefined): Follower {
  let cursor = cursorOf(after);
  return {
    folders: [folder],
    look() {
      const { anew, events, steps, ...logged } = loggedAfter(folder, cursor);
      const same = cursorText(logged.cursor) === cursorText(cursor);
      cursor = logged.cursor;
      if (anew) return [{ event: "anew", data: null }];
      return same ? [] : [{ event: "logged", data: { events, steps: steps.slice(-mostSteps) } }];
    },
    place: () => cursorText(cursor),
  };
}
