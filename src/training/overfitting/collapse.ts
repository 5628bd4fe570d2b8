/** Accuracies of one network at one time: clean, under a single-step attack, and under a strong one. */
export interface Standpoint {
  readonly clean: number;
  readonly weak: number;
  readonly strong: number;
}

/** Points by which accuracy under the strong attack must fall below its best. */
export const collapse = 0.2;

/**
 * Catastrophic overfitting (Wong et al. 2020): accuracy under the strong attack has collapsed from its best
 * while accuracy under the single-step one has not fallen with it; or the two stand apart, and the
 * single-step one hurts no more.
 */
export function collapsed(now: Standpoint, best: Standpoint): boolean {
  const fell = best.strong - now.strong > collapse && best.weak - now.weak < collapse / 2;
  // A run can be overfitted before it is first looked at: then there is nothing better to fall from.
  return fell || (now.weak - now.strong > 0.5 && now.weak > now.clean - 0.05);
}
