import type { Answers } from "../answers.js";

/** Points of accuracy below which a difference is none, whatever its interval. */
export const negligible = 1;

/** A difference of two accuracies on the same images. */
export interface Difference {
  /** In points of a hundred. */
  readonly points: number;
  /** Half the width of its 95 % interval over images. */
  readonly error: number;
}

/** By how many points the first accuracy is above the second, paired by image. */
export function difference(above: Answers, below: Answers): Difference {
  const [a, b] = [above.shares(), below.shares()];
  const each = Array.from(a, (share, i) => share - b[i]!);
  const mean = each.reduce((sum, d) => sum + d, 0) / each.length;
  const variance = each.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (each.length - 1);
  // One image tells nothing of how images differ: no difference on it is beyond chance.
  const error = each.length === 1 ? 1 : 1.96 * Math.sqrt(variance / each.length);
  return { points: 100 * mean, error: 100 * error };
}

/** Whether the first accuracy is above the second by more than `points` and by more than chance. */
export function isAbove(above: Answers, below: Answers, points = negligible): boolean {
  const found = difference(above, below);
  return found.points > Math.max(points, found.error);
}

/** The accuracy as percent, such as "83.2 %". */
export function percentOf(answers: Answers): string {
  const shares = answers.shares();
  return `${((100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length).toFixed(1)} %`;
}
