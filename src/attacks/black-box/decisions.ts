import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { mostSteps } from "../contract/options.js";
import type { Victim } from "../contract/victim.js";
import { perImage, perturbationLengths } from "../geometry/norms.js";

/** Random images that a decision-based attack may start from. */
export const initialTries = z
  .int()
  .min(1)
  .max(mostSteps)
  .default(100)
  .describe("random images tried as a start, until one is misclassified");

/**
 * Images under an attack by decisions, all (M, ...): all that it learns is whether a point is misclassified.
 */
export interface Decided {
  readonly victim: Victim;
  readonly images: Tensor;
  readonly labels: Tensor;
  /** Draws of a randomized classifier whose majority decides. */
  readonly draws: number;
}

/** Tells, bool (M), which points (M, C, H, W) are misclassified. */
export function misclassified({ victim, labels, draws }: Decided, points: Tensor): Tensor {
  return victim.fooled(points, labels, draws);
}

/**
 * Attacks those correctly classified images for which one of `tries` random images is misclassified. `attack`
 * moves the points that it is given, (M, C, H, W), all misclassified, in place. The other images are returned
 * as they are.
 */
export function attackFromNoise(
  all: Decided,
  tries: number,
  attack: (part: Decided, points: Tensor) => void,
): Tensor {
  const result = all.images.clone();
  const correct = misclassified(all, all.images).logicalNot();
  const points = all.images.clone();
  const found = correct.logicalNot();
  for (let i = 0; i < tries; i++) {
    const left = scope(() => found.logicalNot().nonzero().flatten());
    if (left.size === 0) break;
    scope(() => {
      const part = decidedRows(all, left);
      const candidates = coarseNoise(part, 2 ** (i % 5), i);
      const success = misclassified(part, candidates);
      const hits = success.nonzero().flatten();
      points.indexCopy_(0, left.indexSelect(0, hits), candidates.indexSelect(0, hits));
      found.indexCopy_(0, left, success);
    });
    left.dispose();
  }
  const attacked = correct.logicalAnd(found).nonzero().flatten();
  if (attacked.size === 0) return result;
  const moved = points.indexSelect(0, attacked);
  attack(decidedRows(all, attacked), moved);
  result.indexCopy_(0, attacked, moved);
  return result;
}

/** Draws images (M, C, H, W) of square cells of `side` pixels, each cell uniform in [0, 1]. */
// paper: cells are pixels. Many classifiers see one class in all such noise, whose images would then have no
// start.
function coarseNoise({ victim, images }: Decided, side: number, stream: number): Tensor {
  const [, channels, height, width] = images.shape as [number, number, number, number];
  const [down, across] = [Math.ceil(height / side), Math.ceil(width / side)];
  const cells = victim.uniform([channels, down, across], 0, 1, stream);
  const stretched = cells.reshape([-1, channels, down, 1, across, 1]).expand([-1, -1, -1, side, -1, side]);
  return stretched.flatten(4).flatten(2, 3).slice(2, 0, height).slice(3, 0, width).contiguous();
}

/** Those images with the indices `rows`, int64 (K). */
export function decidedRows({ victim, images, labels, draws }: Decided, rows: Tensor): Decided {
  return {
    victim: victim.rows(rows),
    images: images.indexSelect(0, rows),
    labels: labels.indexSelect(0, rows),
    draws,
  };
}

/** Share of its distance within which a point is brought to the boundary: theta of HopSkipJump. */
const precision = {
  linf: (pixels: number) => pixels ** -2,
  l2: (pixels: number) => pixels ** -1.5,
};

/** Halvings at least: a share of few pixels is no precision. */
const leastRounds = 10;

/**
 * Moves misclassified points towards their images up to the boundary, by bisection: along the line in l2, by
 * cutting the largest changes in l-infinity. The points that it returns are misclassified.
 */
export function toBoundary(part: Decided, points: Tensor, norm: "linf" | "l2"): Tensor {
  const { images } = part;
  return scope(() => {
    const pixels = images.size / images.shape[0]!;
    const rounds = Math.max(leastRounds, Math.ceil(-Math.log2(precision[norm](pixels))));
    const changes = points.sub(images);
    const lengths = perturbationLengths(changes, norm);
    const at = (shares: Tensor) => {
      if (norm === "l2") return images.add(changes.mul(perImage(shares)));
      const radius = perImage(shares.mul(lengths));
      return images.add(changes.clampTensor(radius.neg(), radius));
    };
    const low = lengths.zerosLike();
    const high = lengths.onesLike();
    for (let round = 0; round < rounds; round++) {
      scope(() => {
        const middle = low.add(high).div(2);
        const success = misclassified(part, at(middle));
        high.copy_(ops.where(success, middle, high));
        low.copy_(ops.where(success, low, middle));
      });
    }
    // A share of 1 was never asked for, and rounding may take it across the boundary.
    return ops.where(perImage(high.lt(1)), at(high), points);
  });
}
