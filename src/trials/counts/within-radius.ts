import type { TrialResult } from "../batch-record.js";
import { Counts } from "./answers.js";
import { worstOf } from "./worst-of.js";

/** Ball of perturbations. */
export interface BallOf {
  readonly norm: "linf" | "l2" | "l1";
  readonly radius: number;
}

/**
 * Counts at a radius where an attack's images are shown if they lie within it, and the clean ones if they do
 * not. This holds for a randomized model too, whose answers to either are counted in fresh draws.
 */
export function withinRadius(
  { answers, lengths }: Pick<TrialResult, "answers" | "lengths">,
  clean: Counts,
  radius: number,
): Counts {
  const counts = new Counts(answers.images, answers.draws);
  // Lengths were computed in float32.
  const near = lengths.map((length) => length <= Math.fround(radius));
  for (const half of [0, 1] as const) {
    counts.halves[half].set(near.map((shown, i) => (shown ? answers : clean).halves[half][i]!));
  }
  return counts;
}

/**
 * Trials on which the worst case in a ball rests, each with its counts there; the clean images are among
 * them.
 */
export function rowsWithin(
  results: readonly TrialResult[],
  clean: Counts,
  { norm, radius }: BallOf,
): Counts[] {
  return results.flatMap((result): Counts[] => {
    const { attack, shownTo } = result.trial;
    if (shownTo !== "model") return [];
    if (attack === undefined) return [result.answers];
    if (attack.traits.norm !== norm) return [];
    const { radius: own } = attack.traits;
    if (own === undefined) return [withinRadius(result, clean, radius)];
    return own <= radius * (1 + 1e-9) ? [result.answers] : [];
  });
}

/**
 * Worst case of each image in a ball, over trials of radii as small and over minimized perturbations that lie
 * in it.
 */
export function worstWithin(
  results: readonly TrialResult[],
  clean: Counts,
  ball: BallOf,
  randomized: boolean,
): Counts {
  return worstOf(rowsWithin(results, clean, ball), randomized);
}
