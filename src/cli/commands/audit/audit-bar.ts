import type { AuditEvent } from "../../../evaluation/index.js";
import { note } from "../../frame/output.js";
import { withProgress } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";

/** Passes events on, and shows a bar over the expected time. */
export function withBar(events: AsyncIterable<AuditEvent>) {
  return withProgress(events, { label: "audit" }, (event) => {
    if (event.type === "estimate") note(`${event.trials} attacks; their time is being estimated`);
    if (event.type === "plan") {
      note(`at most about ${durationText(event.seconds)}`);
      if (event.folder !== undefined) note(`kept in ${shownPath(event.folder)}`);
      return { total: Math.round(event.seconds) };
    }
    if (event.type !== "progress") return undefined;
    const { trial, done, seconds } = event;
    const attack = trial.attack?.name ?? "clean";
    const under = trial.on === "model" ? attack : `${attack} on ${trial.on}`;
    return { done: Math.round(done), total: Math.round(seconds), metrics: { under } };
  });
}

function durationText(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
