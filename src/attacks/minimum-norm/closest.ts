import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Goal } from "../contract/options.js";
import { reaches } from "../contract/options.js";
import { type Part, partOf } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";
import { perImage } from "../geometry/norms.js";

/** Closest success of each image so far; the image itself, at an infinite distance, where there is none. */
export class Closest {
  readonly images: Tensor;
  /** Distances in the measure that the attack minimizes, (N). */
  readonly distances: Tensor;

  constructor(images: Tensor) {
    this.images = images.clone();
    this.distances = ops.full([images.shape[0]!], Number.POSITIVE_INFINITY, "float32", images.device);
  }

  /** Keeps those candidates (N, C, H, W) that succeeded, bool (N), and are closer than any before. */
  keep(candidates: Tensor, distances: Tensor, success: Tensor): void {
    scope(() => {
      const closer = success.logicalAnd(distances.lt(this.distances));
      this.distances.copy_(ops.where(closer, distances, this.distances));
      this.images.copy_(ops.where(perImage(closer), candidates, this.images));
    });
  }

  /** Keeps the successes of some rows, int64 indices (M), that are closer than any before. */
  keepRows(rows: Tensor, found: Closest): void {
    scope(() => {
      const before = this.distances.indexSelect(0, rows);
      const closer = found.distances.lt(before);
      this.distances.copy_(this.distances.indexCopy(0, rows, found.distances.minimum(before)));
      const kept = ops.where(perImage(closer), found.images, this.images.indexSelect(0, rows));
      this.images.copy_(this.images.indexCopy(0, rows, kept));
    });
  }
}

/**
 * Run of an attack on a part of all images, which knows the distances (M) of their closest successes so far.
 */
export type ClosestRun = (part: Part, distances: Tensor) => Closest;

/**
 * Runs attacks in turn and keeps the closest success of each image. An image leaves once it has one within a
 * distance of `enough`, such as an image that is misclassified as it is.
 */
export function closestOf(
  runs: readonly ClosestRun[],
  victim: Victim,
  images: Tensor,
  goal: Goal,
  enough = 0,
): Closest {
  const closest = new Closest(images);
  closest.keep(images, closest.distances.zerosLike(), reaches(goal, victim, images));
  for (const run of runs) {
    const finished = scope(() => {
      const left = closest.distances.gt(enough).nonzero().flatten();
      if (left.size === 0) return true;
      const part = partOf(victim, images, goal.labels, left);
      closest.keepRows(left, run(part, part.rows(closest.distances)));
      return false;
    });
    if (finished) break;
  }
  return closest;
}
