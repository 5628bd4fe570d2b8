import type { Tensor } from "../../engine/index.js";
import { type SquareSearch, signs, squarePixels } from "./squares.js";

/**
 * Search of Square in the l-infinity ball (Andriushchenko et al. 2020, algorithm 2). Pixels lie on the ball's
 * corners, and a square moves to a corner in each channel.
 */
export const linfSearch: SquareSearch = {
  side: (pixels) => Math.round(Math.sqrt(pixels)),

  /** Vertical stripes, a sign for each column and channel. */
  start(victim, images, epsilon) {
    const [, channels, , width] = images.shape;
    return corner(images, victim.uniform([channels!, 1, width!], 0, 1, 0), epsilon);
  },

  propose(victim, { images, adversarial }, side, epsilon, iteration) {
    const channels = images.shape[1]!;
    const uniforms = victim.uniform([channels + 2, 1], 0, 1, iteration);
    const place = (i: number) => uniforms.slice(1, channels + i, channels + i + 1);
    const pixels = squarePixels(place(0), place(1), side, images);
    const moved = corner(images.flatten(2).gather(2, pixels), uniforms.slice(1, 0, channels), epsilon);
    return adversarial.flatten(2).scatter(2, pixels, moved).reshape(images.shape);
  },
};

function corner(images: Tensor, uniforms: Tensor, epsilon: number): Tensor {
  const corners = images.add(signs(uniforms).mul(epsilon));
  corners.clamp_(0, 1);
  return corners;
}
