import { operators as ops, type Tensor, tensor } from "../../engine/index.js";
import { l2Norms } from "../geometry/norms.js";
import { type SquareSearch, signs, squarePixels } from "./squares.js";

/**
 * Search of Square in the l2 ball (Andriushchenko et al. 2020, algorithm 3). The perturbation of a second
 * square and the rest of the radius move to a first square. There they follow a pattern of two opposite
 * bumps, added to the first square's own perturbation.
 */
export const l2Search: SquareSearch = {
  /** Odd, and 3 at least, so that both bumps have a pixel. */
  side: (pixels) => Math.max(3, 2 * Math.floor(Math.round(Math.sqrt(pixels)) / 2) + 1),

  /** Five by five patterns, each with its own signs and orientation. */
  start(victim, images, epsilon) {
    const [count, channels, height, width] = images.shape as [number, number, number, number];
    const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
    const [down, across] = [Math.floor(height / side), Math.floor(width / side)];
    const [top, left] = [Math.floor((height - down * side) / 2), Math.floor((width - across * side) / 2)];
    const pixels = Array.from({ length: down * across * side * side }, (_, i) => {
      const [tile, place] = [Math.floor(i / side ** 2), i % side ** 2];
      const row = top + Math.floor(tile / across) * side + Math.floor(place / side);
      return row * width + left + (tile % across) * side + (place % side);
    });
    const uniforms = victim.uniform([channels + 1, down * across, 1], 0, 1, 0);
    const turned = ops.where(uniforms.slice(1, channels).lt(0.5), ...patterns(side, images));
    const tiles = turned.mul(signs(uniforms.slice(1, 0, channels))).flatten(2);
    const delta = images.zerosLike().flatten(2);
    delta.indexCopy_(2, onDevice(pixels, images).to("int64"), tiles);
    return scaled(images, delta.reshape([count, channels, height, width]), epsilon);
  },

  propose(victim, { images, adversarial }, side, epsilon, iteration) {
    const channels = images.shape[1]!;
    const uniforms = victim.uniform([channels + 5, 1], 0, 1, iteration);
    const place = (i: number) => uniforms.slice(1, channels + i, channels + i + 1);
    const first = squarePixels(place(0), place(1), side, images);
    const second = squarePixels(place(2), place(3), side, images);
    const delta = adversarial.sub(images).flatten(2);
    const unused = squaredLengths(delta)
      .sumDim([1], true)
      .neg()
      .add(epsilon ** 2)
      .clamp(0);
    const rest = delta.scatterValue(2, second, 0);
    // Pixels in both squares are gone from the rest, so that they count once.
    const both = squaredLengths(delta.gather(2, second)).add(squaredLengths(rest.gather(2, first)));
    const available = both.add(unused.div(channels)).sqrt();
    const bump = ops
      .where(place(4).lt(0.5), ...patterns(side, images))
      .mul(signs(uniforms.slice(1, 0, channels)));
    const mixed = bump.add(unit(delta.gather(2, first)));
    const moved = rest.scatter(2, first, unit(mixed).mul(available));
    return scaled(images, moved.reshape(images.shape), epsilon);
  },
};

/** Gives perturbations the length epsilon, then cuts by the pixel range. */
function scaled(images: Tensor, delta: Tensor, epsilon: number): Tensor {
  const candidates = images.add(delta.mul(l2Norms(delta).add(1e-12).reciprocal().mul(epsilon)));
  candidates.clamp_(0, 1);
  return candidates;
}

function squaredLengths(pixels: Tensor): Tensor {
  return pixels.square().sumDim([2], true);
}

/** Scales each channel's pixels (M, C, P) to length 1 together; zeros stay zeros. */
function unit(pixels: Tensor): Tensor {
  return pixels.div(squaredLengths(pixels).sqrt().add(1e-12));
}

/** Pattern of a square lying on its side, and upright, (1, 1, side^2). */
function patterns(side: number, images: Tensor): [Tensor, Tensor] {
  const upright = onDevice(bumps(side), images).reshape([1, side, side]);
  return [upright.permute([0, 2, 1]).flatten(1).unsqueeze(1), upright.flatten(1).unsqueeze(1)];
}

/**
 * Pattern of a square, row-major, of length 1: two bumps of opposite sign, one above the other (section 3.3).
 * At a distance d from its center, in the maximum norm, a bump is the sum over k = d .. n of 1 / (k + 1)^2.
 * There n is half its longer side.
 */
export function bumps(side: number): number[] {
  const upper = Math.floor(side / 2);
  const values = Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return row < upper ? bump(row, column, upper, side) : -bump(row - upper, column, side - upper, side);
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function bump(row: number, column: number, height: number, width: number): number {
  const distance = Math.max(Math.abs(row - Math.floor(height / 2)), Math.abs(column - Math.floor(width / 2)));
  let value = 0;
  for (let k = distance; k <= Math.floor(Math.max(height, width) / 2); k++) value += 1 / (k + 1) ** 2;
  return value;
}

function onDevice(values: readonly number[], like: Tensor): Tensor {
  const moved = ops.zeros([values.length], "float32", like.device);
  moved.copy_(tensor(values));
  return moved;
}
