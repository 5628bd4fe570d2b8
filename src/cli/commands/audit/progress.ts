import { countText } from "../../../base/index.js";
import type { AuditEvent } from "../../../evaluation/index.js";
import { percent } from "../../../report/index.js";
import { trialLabel } from "../../../trials/index.js";
import { note } from "../../frame/output.js";
import { withProgress } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";

/** Seconds for which the estimate counts beside what was measured: a few fast batches tell little. */
const trust = 30;

/**
 * Seconds left of an estimate, by how far the work has come: at first the estimate's, later by the pace of
 * the work.
 */
export function secondsLeft(expected: number, done: number, elapsed: number): number {
  const pace = (elapsed + trust) / (done + trust);
  return Math.max(0, expected - done) * pace;
}

/**
 * Passes on the events of an audit, and shows how far it has come, the worst case so far, and how long it
 * still takes: by one estimate, which the pace of the work corrects.
 */
export function withBar(events: AsyncIterable<AuditEvent>, now = () => performance.now()) {
  let began = now();
  let ended = 0;
  let worst: number | undefined;
  return withProgress(events, { label: "audit", unit: "attacks" }, (event) => {
    if (event.type === "estimate")
      note(`${countText(event.trials, "attack")}; their time is being estimated`);
    if (event.type === "plan") {
      began = now();
      if (event.folder !== undefined) note(`kept in ${shownPath(event.folder)}`);
      return { total: event.trials, share: 0, left: event.seconds };
    }
    if (event.type === "trial") {
      worst = event.worst;
      return { done: ++ended };
    }
    if (event.type !== "progress") return undefined;
    const { trial, done, seconds } = event;
    const fallen = worst === undefined ? {} : { "worst so far": `${percent(worst, 1)} %` };
    return {
      share: seconds > 0 ? Math.min(1, done / seconds) : 1,
      metrics: { under: trialLabel(trial), ...fallen },
      left: secondsLeft(seconds, done, (now() - began) / 1000),
    };
  });
}
