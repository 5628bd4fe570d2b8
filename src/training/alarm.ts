import type { AlarmKind, EpochEvent } from "./events.js";

/** Points by which accuracy under the strongest probe must fall below its best for an alarm. */
const collapse = 0.2;

/**
 * What is wrong with a run after an epoch, judged by its epochs so far.
 *
 * Catastrophic overfitting (Wong et al. 2020): accuracy under the strongest probe collapses while accuracy under the
 * single-step probe does not fall with it. Constant output: nearly every image is given one class.
 */
export function epochAlarms(epochs: readonly EpochEvent[]): { kind: AlarmKind; message: string }[] {
  const now = epochs.at(-1);
  if (now === undefined) return [];
  const alarms: { kind: AlarmKind; message: string }[] = [];
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  if (now.commonestClass > 0.95) {
    alarms.push({
      kind: "constant-output",
      message: `${percent(now.commonestClass)} of the probe images are predicted as one class: the network has died`,
    });
  }
  if (now.probes.length >= 2) {
    const weak = (epoch: EpochEvent) => epoch.probes[0]!.accuracy;
    const strong = (epoch: EpochEvent) => epoch.probes.at(-1)!.accuracy;
    const best = epochs.reduce((a, b) => (strong(b) > strong(a) ? b : a));
    const fell = strong(best) - strong(now) > collapse && weak(best) - weak(now) < collapse / 2;
    // A run can be overfitted before its first epoch ends: then there is no better epoch to fall from.
    const apart = weak(now) - strong(now) > 0.5 && weak(now) > now.clean - 0.05;
    if (fell || apart) {
      alarms.push({
        kind: "catastrophic-overfitting",
        message: `${percent(weak(now))} under ${now.probes[0]!.attack}, but ${percent(strong(now))} under ${now.probes.at(-1)!.attack}`,
      });
    }
  }
  return alarms;
}
