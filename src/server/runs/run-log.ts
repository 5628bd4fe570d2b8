import { join } from "node:path";
import { beginning, linesAfter, type Place } from "../files/lines.js";
import { eventOf, type RunEvent, type RunStep, stepOf } from "./events.js";

/** Place in both logs of a run. */
export interface Cursor {
  readonly events: Place;
  readonly steps: Place;
}

/** Place before anything was logged. */
export const start: Cursor = { events: beginning, steps: beginning };

/** Cursor as text, which the id of a server-sent event is. */
export function cursorText({ events, steps }: Cursor): string {
  return [events.file, events.bytes, steps.file, steps.bytes].join("-");
}

/** Cursor of a text; the beginning for anything else. */
export function cursorOf(text: string | undefined): Cursor {
  const numbers = (text ?? "").split("-").map(Number);
  // Numbers of files go beyond 2^53 on some file systems, such as Lustre: rounded, they are as good.
  if (numbers.length !== 4 || !numbers.every((one) => Number.isInteger(one) && one >= 0)) return start;
  const [events, eventBytes, steps, stepBytes] = numbers as [number, number, number, number];
  return { events: { file: events, bytes: eventBytes }, steps: { file: steps, bytes: stepBytes } };
}

/** Logged since a cursor. */
export interface Logged {
  readonly events: readonly RunEvent[];
  readonly steps: readonly RunStep[];
  readonly cursor: Cursor;
  /** True where a log was begun anew, as by a run that was killed and goes on: then all is told again. */
  readonly anew: boolean;
  /** Lines that are no events. */
  readonly broken: number;
}

/** Reads what a run has logged behind a cursor. */
export function loggedAfter(folder: string, cursor: Cursor): Logged {
  const files = [join(folder, "events.jsonl"), join(folder, "steps.jsonl")] as const;
  let found = [linesAfter(files[0], cursor.events), linesAfter(files[1], cursor.steps)] as const;
  const anew = found.some((one) => one.anew);
  if (anew) found = [linesAfter(files[0], beginning), linesAfter(files[1], beginning)];
  const events = found[0].lines.map(eventOf);
  const steps = found[1].lines.map(stepOf);
  return {
    events: events.filter((event) => event !== undefined),
    steps: steps.filter((step) => step !== undefined),
    cursor: { events: found[0].place, steps: found[1].place },
    anew,
    broken: [...events, ...steps].filter((one) => one === undefined).length,
  };
}
