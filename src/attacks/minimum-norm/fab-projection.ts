import { scope, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/options.js";

/** Hyperplanes w . x = b, one a row: normals w (N, D) and offsets b (N). */
export interface Hyperplanes {
  readonly normals: Tensor;
  readonly offsets: Tensor;
}

/** Least divisor: keeps divisions by a weight of zero finite, whose pixel does not move in any case. */
const tiny = 1e-30;
/** Reach of a pixel without weight, which is never full. */
const huge = 1e8;

/**
 * Shortest steps, in a norm, (N, D), that lead points (N, D) in [0, 1] to their hyperplanes inside [0, 1].
 * If a hyperplane misses the box, they lead to the box's corner that comes nearest to it (Croce and Hein
 * 2020, section 2.2).
 *
 * All rows are solved at once. Squares of their weights must be in float32.
 */
export function projectionSteps(norm: Norm, points: Tensor, { normals, offsets }: Hyperplanes): Tensor {
  return scope(() => {
    const excess = normals.mul(points).sumDim([1], true).sub(offsets.unsqueeze(1));
    const direction = normals.sign().mul(excess.sign()).neg();
    // 1 - x up and x down; like below, arithmetic, which is several times faster than masks.
    const room = points.sub(direction.clamp(0)).abs();
    const weights = normals.abs();
    return lengthsOf(norm, weights, room, excess.abs()).mul(direction);
  });
}

/** Lengths by which pixels move, at most `room`, so that the sum of weights * lengths is `needed` (N, 1). */
function lengthsOf(norm: Norm, weights: Tensor, room: Tensor, needed: Tensor): Tensor {
  if (norm === "l1") return heaviestFirst(weights, room, needed);
  if (norm === "linf") return room.minimum(level(weights, room, weights.mul(room), needed));
  const reach = room.div(weights.clamp(tiny)).clamp(undefined, huge);
  return room.minimum(weights.mul(level(weights.square(), reach, weights.mul(room), needed)));
}

/**
 * Level (N, 1) at which the sum over pixels of speed * min(level, reach) is `needed`, or one above every
 * reach where it never is; `full` is speed * reach.
 *
 * That sum is concave and linear between reaches. So Newton's steps from 0 rise to the level and end there
 * exactly, after a few passes over the pixels; sorting them would take many.
 */
function level(speed: Tensor, reach: Tensor, full: Tensor, needed: Tensor): Tensor {
  const found = needed.zerosLike();
  for (let rising = true; rising; ) {
    rising = scope(() => {
      const moving = reach.sub(found).sign();
      moving.clamp_(0);
      const left = needed.sub(full.sub(full.mul(moving)).sumDim([1], true));
      const next = left
        .div(speed.mul(moving).sumDim([1], true).clamp(tiny))
        .clamp(undefined, huge)
        .maximum(found);
      const rose = next.gt(found).any().item() === 1;
      found.copy_(next);
      return rose;
    });
  }
  return found;
}

/** Solution in l1: pixels of the largest weights move as far as they can, until enough is done. */
function heaviestFirst(weights: Tensor, room: Tensor, needed: Tensor): Tensor {
  const [sorted, order] = weights.sort(1, true);
  const rooms = room.gather(1, order);
  const gains = sorted.mul(rooms);
  const left = needed.sub(gains.cumsum(1).sub(gains)).clamp(0);
  const lengths = left.div(sorted.clamp(tiny)).minimum(rooms);
  const [, places] = order.sort(1);
  return lengths.gather(1, places);
}
