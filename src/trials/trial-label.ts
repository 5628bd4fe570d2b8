import { attackLabel } from "../attacks/index.js";
import type { Trial } from "./trial.js";

/** Short name of a trial, such as "PGD-20, eps 0.3 on noise-free". */
export function trialLabel({ attack, on, after }: Trial): string {
  if (attack === undefined) return "clean";
  const players = on === "model" ? "" : ` on ${on.replace(/^(surrogate|transfer):/, "")}`;
  return `${attackLabel(attack)}${players}${after === undefined ? "" : ", on what is left"}`;
}

/** Short names of trials; two that would have the same are told apart by their whole calls. */
export function trialLabels(trials: readonly Trial[]): string[] {
  const labels = trials.map(trialLabel);
  const isUnique = (label: string) => labels.indexOf(label) === labels.lastIndexOf(label);
  return labels.map((label, i) => (isUnique(label) ? label : trials[i]!.id));
}
