import { shortLabel } from "../attacks/index.js";
import type { AlarmKind, EpochEvent } from "./events.js";

/** What an alarm says before it has a place in a run. */
export interface EpochAlarm {
  readonly kind: AlarmKind;
  readonly message: string;
}

/** Points by which accuracy under the strongest probe must fall below its best for an alarm. */
const collapse = 0.2;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Nearly every image is given one class, and not because nearly all are of one. */
function constantOutput({ commonestClass, clean }: EpochEvent): EpochAlarm[] {
  if (commonestClass <= 0.95 || clean >= 0.9) return [];
  const message = `${percent(commonestClass)} of the probe images are predicted as one class: the network does not learn`;
  return [{ kind: "constant-output", message }];
}

/**
 * Catastrophic overfitting (Wong et al. 2020): accuracy under the strongest probe collapses while accuracy under the
 * single-step probe does not fall with it.
 */
function catastrophicOverfitting(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const now = epochs.at(-1)!;
  const [first, last] = [now.probes[0], now.probes.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const weak = (epoch: EpochEvent) => epoch.probes[0]!.accuracy;
  const strong = (epoch: EpochEvent) => epoch.probes.at(-1)!.accuracy;
  const best = epochs.reduce((a, b) => (strong(b) > strong(a) ? b : a));
  const fell = strong(best) - strong(now) > collapse && weak(best) - weak(now) < collapse / 2;
  // A run can be overfitted before its first epoch ends: then there is no better epoch to fall from.
  const apart = weak(now) - strong(now) > 0.5 && weak(now) > now.clean - 0.05;
  if (!fell && !apart) return [];
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
