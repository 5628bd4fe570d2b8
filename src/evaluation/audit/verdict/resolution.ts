import { countText } from "../../../base/index.js";
import type { Counts } from "../../../trials/index.js";
import { difference, fewestThatDiffer, negligible } from "../difference.js";

/** Resolution of an audit: differences of attacks that its images can show. */
export interface Resolution {
  /** Points of accuracy below which a difference can go unseen; null where no comparison can fail at all. */
  readonly points: number | null;
  /** Bound on the points, above which an audit without a fault is inconclusive. */
  readonly bound: number;
}

/** Points that an audit without a fault must be able to see, where no bound is given. */
export const usualResolution = 5;

/** Share of the images that may stand there before, as chance has it in large data sets. */
const copies = 0.1;

/**
 * Smallest difference that a comparison of attacks can show, in points: as many images as the sign test needs
 * to differ, all one way; of a randomized model, whose images differ by shares, the half width of the paired
 * interval between the attack of the claim and the worst case. Copies of an image show no more than it does.
 *
 * @param distinct images of which none is another's copy
 */
export function resolutionOf(
  claim: Counts,
  worst: Counts,
  bound: number,
  distinct = claim.images,
): Resolution {
  const images = distinct < (1 - copies) * claim.images ? distinct : claim.images;
  if (images < fewestThatDiffer) return { points: null, bound };
  const certain = claim.draws === 1 && worst.draws === 1;
  const points = certain
    ? (100 * fewestThatDiffer) / images
    : difference(claim, worst).error * Math.sqrt(claim.images / images);
  return { points: Math.max(negligible, points), bound };
}

/** Tells resolutions that are too poor for a verdict that finds no fault. */
export function isTooPoor({ points, bound }: Resolution): boolean {
  return points === null || points > bound + 1e-9;
}

/** The resolution as a sentence without a full stop. */
export function resolutionText({ points, bound }: Resolution, images: number): string {
  if (points === null) {
    const few = `fewer than ${fewestThatDiffer} images that differ`;
    return `no comparison of attacks can fail on ${few}, so passed checks prove nothing`;
  }
  // Upwards: 5.04 points, which a bound of 5 refuses, are not to be read as 5.
  const smallest = Math.ceil(10 * points - 1e-9) / 10;
  const shown = countText(images, "image");
  const seen = `with ${shown} a difference of attacks below ${smallest} points can go unseen`;
  return isTooPoor({ points, bound }) ? `${seen}; no more than ${bound} should` : seen;
}
