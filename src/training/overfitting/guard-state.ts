import { collapse, collapsed, type Standpoint } from "./collapse.js";
import type { Signals } from "./signals.js";

/** Manner in which a guard watches a run. */
export interface GuardRules {
  /** Steps between two checks by an attack, and between two measurements of the signals. */
  readonly interval: number;
  readonly signalInterval: number;
  /** Held-out images that are attacked, and the attack's steps. */
  readonly images: number;
  readonly steps: number;
  /** Factor of the method's step in a roll-back, and the most roll-backs. */
  readonly factor: number;
  readonly limit: number;
}

/** Knowledge of a guard, as a checkpoint keeps it. */
export interface GuardState {
  /** Exponential means of the signals, and the best of them since the last check; null before the first. */
  readonly alignment: number | null;
  readonly lossFell: number | null;
  readonly bestAlignment: number;
  readonly bestLossFell: number;
  /** The best check so far. */
  readonly best: Standpoint | null;
  readonly stepScale: number;
  readonly rollBacks: number;
  /** The training step of the last good network, and the updates behind it. */
  readonly goodStep: number;
  readonly goodUpdates: number;
}

export type Verdict = "good" | "doubtful" | "overfitted";

/** Weight of a new measurement in a signal's mean. */
const weight = 0.2;

export const untroubled: GuardState = {
  alignment: null,
  lossFell: null,
  bestAlignment: -1,
  bestLossFell: 1,
  best: null,
  stepScale: 1,
  rollBacks: 0,
  goodStep: 0,
  goodUpdates: 0,
};

const quiet = { alignment: null, lossFell: null, bestAlignment: -1, bestLossFell: 1 };

/**
 * The state after a measurement of the signals, and whether it is time for a check: the mean cosine has
 * fallen below half of its best, or the losses of a fifth of the images more fall under attack than at best.
 * Signals alone raise no alarm.
 */
export function afterSignals(
  state: GuardState,
  signals: Signals,
): { state: GuardState; suspicious: boolean } {
  const mean = (before: number | null, now: number) =>
    before === null ? now : before + weight * (now - before);
  const alignment = mean(state.alignment, signals.alignment);
  const lossFell = mean(state.lossFell, signals.lossFell);
  const bestAlignment = Math.max(state.bestAlignment, alignment);
  const bestLossFell = Math.min(state.bestLossFell, lossFell);
  const suspicious = alignment < bestAlignment / 2 || lossFell > bestLossFell + collapse;
  return { state: { ...state, alignment, lossFell, bestAlignment, bestLossFell }, suspicious };
}

/**
 * The state after a check, and its verdict. A network is good that stands near the best under the strong
 * attack, overfitted by the rule of the epochs' alarm, and doubtful in between: it is then neither kept nor
 * taken back.
 */
export function afterCheck(state: GuardState, check: Standpoint): { state: GuardState; verdict: Verdict } {
  const { best } = state;
  if (collapsed(check, best ?? check)) return { state: { ...state, ...quiet }, verdict: "overfitted" };
  const better = best === null || check.strong > best.strong ? check : best;
  const verdict = check.strong >= better.strong - collapse / 2 ? "good" : "doubtful";
  return { state: { ...state, ...quiet, best: better }, verdict };
}

/** The state after a roll-back: a smaller step. */
export function afterRollBack(state: GuardState, { factor }: Pick<GuardRules, "factor">): GuardState {
  return { ...state, ...quiet, stepScale: state.stepScale * factor, rollBacks: state.rollBacks + 1 };
}
