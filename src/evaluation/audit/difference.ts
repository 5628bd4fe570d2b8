import { shareText } from "../../report/index.js";
import type { Counts } from "../../trials/index.js";

/** Points of accuracy below which a difference is none, whatever its interval. */
export const negligible = 1;

/** Points by which rounding may lift a difference. */
const trifle = 1e-9;

/** Images that must differ, all of them one way, before the sign test takes it for more than chance. */
export const fewestThatDiffer = 6;

/** Difference of two accuracies on the same images. */
export interface Difference {
  /** In points of a hundred. */
  readonly points: number;
  /** Half the width of its interval over images: 95 % for all the comparisons together that it is one of. */
  readonly error: number;
}

/**
 * Points by which the first accuracy is above the second, paired by image, as one of `comparisons` of which
 * any would count (Bonferroni).
 *
 * The interval is Agresti and Min's (2005) for paired shares: half an image is added to each of the four
 * cells of the table of pairs, so two images, one of which is correct under one alone. Its middle and width
 * are times (n + 2) / n for n images, so that its middle is the raw difference: it leaves 0 out where theirs
 * does.
 */
export function difference(above: Counts, below: Counts, comparisons = 1): Difference {
  const each = differences(above, below);
  const total = each.reduce((sum, d) => sum + d, 0);
  const squares = each.reduce((sum, d) => sum + d ** 2, 0);
  const spread = squares + 1 - total ** 2 / (each.length + 2);
  const error = normalQuantile(0.025 / comparisons) * Math.sqrt(spread);
  return { points: (100 * total) / each.length, error: (100 * error) / each.length };
}

/** Difference of each image's shares of correct draws. */
function differences(above: Counts, below: Counts): number[] {
  const [a, b] = [above, below].map(({ correct, draws }) => Array.from(correct, (count) => count / draws));
  return a!.map((share, i) => share - b![i]!);
}

/** Difference in words, such as "1.5 +- 0.8 points". */
export function differenceText(above: Counts, below: Counts): string {
  const { points, error } = difference(above, below);
  return `${points.toFixed(1)} +- ${error.toFixed(1)} points`;
}

/**
 * Tells whether the first accuracy is above the second by more than `points` and by more than chance: by more
 * than the half width of the difference's interval, and by the sign test, since few images are too few for an
 * interval.
 */
export function isAbove(above: Counts, below: Counts, points = negligible, comparisons = 1): boolean {
  const found = difference(above, below, comparisons);
  return (
    found.points > Math.max(points + trifle, found.error) && signTest(above, below) <= 0.05 / comparisons
  );
}

/**
 * Tells whether attacks lower an accuracy by more than `points`, where they cannot raise it. Each image of a
 * deterministic model that falls is a proof, so no chance is left; a randomized model's fall must be more
 * than chance.
 */
export function falls(before: Counts, after: Counts, points: number): boolean {
  const certain = before.draws === 1 && after.draws === 1;
  return certain ? difference(before, after).points > points + trifle : isAbove(before, after, points);
}

/**
 * Two-sided p of the exact sign test over images that differ (McNemar's). For randomized models, where most
 * images differ by a draw or two and sizes count, it is the least p of any exact test of so many pairs: all
 * differ one way.
 */
export function signTest(above: Counts, below: Counts): number {
  const signs = differences(above, below)
    .map(Math.sign)
    .filter((sign) => sign !== 0);
  const certain = above.draws === 1 && below.draws === 1;
  const fewer = certain ? Math.min(...[1, -1].map((way) => signs.filter((sign) => sign === way).length)) : 0;
  // Logarithms, since 2^-n is 0 beyond a thousand images.
  let [log, tail] = [-signs.length * Math.LN2, 0];
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(log);
    log += Math.log((signs.length - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

/**
 * Tells whether the first accuracy is above any of several by more than `points`, and the chance of as many
 * tries.
 */
export function isAboveAny(above: Counts, several: readonly Counts[], points = negligible): boolean {
  return several.some((below) => isAbove(above, below, points, several.length));
}

/** Accuracy as text, such as "83.2 %". */
export function percentOf(counts: Counts): string {
  return shareText(counts.mean());
}

/**
 * Value that a standard normal variable exceeds with a probability of at most 0.5; off by 0.00045 at most
 * (Abramowitz and Stegun 1964, 26.2.23).
 */
export function normalQuantile(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(probability));
  return (
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
}
