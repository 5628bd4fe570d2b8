import { shortLabel } from "../../attacks/index.js";
import type { AlarmKind, EpochEvent } from "../events.js";
import { collapsed, type Standpoint } from "./collapse.js";

/** What an alarm says before it has a place in a run. */
export interface EpochAlarm {
  readonly kind: AlarmKind;
  readonly message: string;
}

/** A share in words: `12.3 %`. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Nearly every image is given one class, and not because nearly all are of one. */
function constantOutput({ commonestClass, clean }: EpochEvent): EpochAlarm[] {
  if (commonestClass <= 0.95 || clean >= 0.9) return [];
  const message = `${percent(commonestClass)} of the probe images are predicted as one class: the network does not learn`;
  return [{ kind: "constant-output", message }];
}

/** Catastrophic overfitting, by the first probe and the last. */
function catastrophicOverfitting(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const now = epochs.at(-1)!;
  const [first, last] = [now.probes[0], now.probes.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const standpoint = ({ clean, probes }: EpochEvent): Standpoint => ({
    clean,
    weak: probes[0]!.accuracy,
    strong: probes.at(-1)!.accuracy,
  });
  const best = epochs.map(standpoint).reduce((a, b) => (b.strong > a.strong ? b : a));
  if (!collapsed(standpoint(now), best)) return [];
  const message = `${percent(first.accuracy)} under ${shortLabel(first.attack)}, but ${percent(last.accuracy)} under ${shortLabel(last.attack)}`;
  return [{ kind: "catastrophic-overfitting", message: `catastrophic overfitting: ${message}` }];
}

/** What is wrong with a run after its latest epoch, judged by its epochs so far. */
export function epochAlarms(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const now = epochs.at(-1);
  return now === undefined ? [] : [...constantOutput(now), ...catastrophicOverfitting(epochs)];
}

/** Those of the latest epoch's alarms that were not there an epoch before. */
export function newAlarms(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const before = epochAlarms(epochs.slice(0, -1)).map(({ kind }) => kind);
  return epochAlarms(epochs).filter(({ kind }) => !before.includes(kind));
}
