import { operators as ops, type Tensor } from "../../engine/index.js";

/**
 * The points nearest to candidates (N, C, H, W) among those in [0, 1] whose l1 distance from the images is at most
 * `radius`, one or one for each image, (N, 1) (Croce and Hein 2021, section 3.1).
 *
 * The nearest perturbation is sign(d) * min(max(|d| - t, 0), room), with d the given one and room what each pixel may move
 * until it is black or white. Its length falls with t along straight pieces, whose ends are sorted to find t exactly; in
 * float64, because thousands of pixels are added up.
 */
export function nearestInL1(images: Tensor, candidates: Tensor, radius: number | Tensor): Tensor {
  const from = images.flatten(1).to("float64");
  const moved = candidates.flatten(1).to("float64").sub(from);
  const size = moved.abs();
  const room = ops.where(moved.gt(0), from.neg().add(1), from);
  const held = size.minimum(room);
  const excess = held.sumDim([1], true).sub(radius);
  const threshold = ops.where(excess.gt(0), thresholdOf(size, held, excess), excess.zerosLike());
  const nearest = size.sub(threshold).clamp(0).minimum(room).mul(moved.sign()).add(from);
  return nearest.to("float32").reshape(candidates.shape);
}

/** The t at which the lengths sum(min(max(size - t, 0), room)) have fallen by the excesses (N, 1), which are positive. */
function thresholdOf(size: Tensor, held: Tensor, excess: Tensor): Tensor {
  const pixels = size.shape[1]!;
  // A pixel shrinks with t from size - held on, until it is back at size.
  const [ends, order] = ops.cat([size.sub(held), size], 1).sort(1);
  const shrinking = order.lt(pixels).to("float64").mul(2).sub(1).cumsum(1);
  const gaps = ends.slice(1, 1).sub(ends.slice(1, 0, -1));
  const fallen = ops.cat([excess.zerosLike(), shrinking.slice(1, 0, -1).mul(gaps).cumsum(1)], 1);
  const piece = fallen.lt(excess).to("int64").sumDim([1], true).sub(1).clamp(0);
  const left = excess.sub(fallen.gather(1, piece));
  // Rounding may leave a trifle after the last piece, where nothing shrinks.
  return ends.gather(1, piece).add(left.div(shrinking.gather(1, piece).clamp(1)));
}
