import { shareText } from "../../report/index.js";
import type { AlarmKind, EpochEvent } from "../events.js";
import { collapsed, type Standpoint } from "./collapse.js";

/** Alarm before it has a place in a run. */
export interface EpochAlarm {
  readonly kind: AlarmKind;
  readonly message: string;
}

/** Nearly every image is given one class, and not because nearly all are of one. */
function constantOutput({ commonestClass, clean }: EpochEvent): EpochAlarm[] {
  if (commonestClass <= 0.95 || clean >= 0.9) return [];
  const share = shareText(commonestClass);
  const message =
    `${share} of the validation images are predicted as one class: the model does not learn; try a lower ` +
    "rate, or more epochs";
  return [{ kind: "constant-output", message }];
}

/** Catastrophic overfitting, by the first validation attack and the last. */
function catastrophicOverfitting(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const now = epochs.at(-1)!;
  const [first, last] = [now.validation[0], now.validation.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const standpoint = ({ clean, validation }: EpochEvent): Standpoint => ({
    clean,
    weak: validation[0]!.accuracy,
    strong: validation.at(-1)!.accuracy,
  });
  const best = epochs.map(standpoint).reduce((a, b) => (b.strong > a.strong ? b : a));
  if (!collapsed(standpoint(now), best)) return [];
  const seen = `${shareText(first.accuracy)} under ${first.attack}`;
  const message = `${seen}, but ${shareText(last.accuracy)} under ${last.attack}`;
  return [{ kind: "catastrophic-overfitting", message: `catastrophic overfitting: ${message}` }];
}

/** Alarms of a run after its latest epoch, judged by its epochs so far. */
export function epochAlarms(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const now = epochs.at(-1);
  return now === undefined ? [] : [...constantOutput(now), ...catastrophicOverfitting(epochs)];
}

/** Alarms of the latest epoch that were not there an epoch before. */
export function newAlarms(epochs: readonly EpochEvent[]): EpochAlarm[] {
  const before = epochAlarms(epochs.slice(0, -1)).map(({ kind }) => kind);
  return epochAlarms(epochs).filter(({ kind }) => !before.includes(kind));
}
