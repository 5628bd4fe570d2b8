import { operators as ops, scope, type Tensor } from "../engine/index.js";
import type { Norm } from "./attack.js";

/** Hyperplanes w . x = b, one a row: normals w (N, D) and offsets b (N). */
export interface Hyperplanes {
  readonly normals: Tensor;
  readonly offsets: Tensor;
}

/** Keeps divisions by a weight of zero finite; such a pixel does not move in any case. */
const tiny = 1e-30;
/** Stands for "never full": what a pixel of no weight could move. */
const huge = 1e8;

/**
 * The shortest steps, in a norm, (N, D), that lead points (N, D) in [0, 1] to their hyperplanes inside [0, 1]; where a
 * hyperplane misses the box, the steps to the box's corner that comes nearest to it (Croce and Hein 2020, section 2.2).
 *
 * All rows are solved at once: pixels are sorted by when they reach the edge of the box, and cumulative sums tell at which
 * of them the hyperplane is reached.
 */
export function projectionSteps(norm: Norm, points: Tensor, { normals, offsets }: Hyperplanes): Tensor {
  return scope(() => {
    const excess = normals.mul(points).sumDim([1], true).sub(offsets.unsqueeze(1));
    const direction = normals.sign().mul(excess.sign()).neg();
    const room = ops.where(direction.gt(0), points.neg().add(1), points);
    const weights = normals.abs();
    return lengthsOf(norm, weights, room, excess.abs()).mul(direction);
  });
}

/** How far each pixel moves, at most `room`, so that the sum of weights * lengths is `needed` (N, 1). */
function lengthsOf(norm: Norm, weights: Tensor, room: Tensor, needed: Tensor): Tensor {
  if (norm === "l1") return heaviestFirst(weights, room, needed);
  if (norm === "linf") return room.minimum(level(weights, room, weights.mul(room), needed));
  const reach = room.div(weights.clamp(tiny)).clamp(undefined, huge);
  return room.minimum(weights.mul(level(weights.square(), reach, weights.mul(room), needed)));
}

/**
 * The level (N, 1) at which the sum over pixels of speed * min(level, reach) is `needed`; `full` is speed * reach. Where it
 * never is, the largest reach.
 */
function level(speed: Tensor, reach: Tensor, full: Tensor, needed: Tensor): Tensor {
  const [reaches, order] = reach.sort(1);
  const fulls = full.gather(1, order);
  const before = fulls.cumsum(1).sub(fulls);
  const speeds = speed.gather(1, order).flip([1]).cumsum(1).flip([1]);
  const last = reaches.shape[1]! - 1;
  const place = before.add(speeds.mul(reaches)).lt(needed).sumDim([1], true);
  const at = place.clamp(undefined, last);
  const exact = needed.sub(before.gather(1, at)).div(speeds.gather(1, at).clamp(tiny)).clamp(0, huge);
  return ops.where(place.gt(last), reaches.slice(1, last, last + 1), exact);
}

/** The l1 solution: pixels of the largest weights move as far as they can, until enough is done. */
function heaviestFirst(weights: Tensor, room: Tensor, needed: Tensor): Tensor {
  const [sorted, order] = weights.sort(1, true);
  const rooms = room.gather(1, order);
  const gains = sorted.mul(rooms);
  const left = needed.sub(gains.cumsum(1).sub(gains)).clamp(0);
  const lengths = left.div(sorted.clamp(tiny)).minimum(rooms);
  const [, places] = order.sort(1);
  return lengths.gather(1, places);
}
