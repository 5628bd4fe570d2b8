import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { defineCombinator } from "../contract/combinator.js";
import { type Norm, radius, radiusFault } from "../contract/options.js";
import { perImage, perturbationLengths } from "../geometry/norms.js";

/**
 * Attack that minimizes the distance, as one of a radius: images that it found farther away are given back as
 * they were. So hop-skip-jump and pgd can be compared: `within(hop-skip-jump(norm=linf), epsilon=0.3)`.
 *
 * With `at=radius` every perturbation that was found, near or far, is brought to the length of the radius.
 * The closest image that fools a randomized classifier lies where about half of its draws are fooled; an
 * attack of a radius goes on from there.
 *
 * RangeError for an attack without a norm, or with a radius of its own, and for a radius that is none in the
 * attack's norm.
 */
export const within = defineCombinator("within", {
  summary: "a minimum-norm attack at a radius: images farther away are given back as they were",
  takes: "one attack",
  options: z.strictObject({
    epsilon: radius.default(0.3).describe("radius in the attack's norm, pixels in [0, 1]"),
    at: z
      .enum(["distance", "radius"])
      .default("distance")
      .describe("images at the distance that was found, or on the same line at the radius"),
  }),
  traits([attack], { epsilon }) {
    const { norm, radius: own } = attack!.traits;
    const { name } = attack!;
    if (norm === "none") throw new RangeError(`attack within: no norm measures ${name}`);
    if (own !== undefined) {
      throw new RangeError(`attack within: takes an attack that minimizes its norm; ${name} has a radius`);
    }
    const fault = radiusFault(norm, epsilon);
    if (fault !== undefined)
      throw new RangeError(`attack within: option "epsilon" cannot be ${epsilon}: ${fault}`);
    return { ...attack!.traits, radius: epsilon };
  },
  run({ epsilon, at }, [attack], victim, images, labels) {
    const found = victim.run(attack, images, labels);
    const norm = attack.traits.norm as Norm;
    return at === "radius"
      ? atRadius(images, found, norm, epsilon)
      : nearImages(images, found, norm, epsilon);
  },
});

/**
 * Returns those images (N, C, H, W) found for others that lie within a radius of them; the others themselves
 * elsewhere.
 */
export function nearImages(images: Tensor, found: Tensor, norm: Norm, epsilon: number): Tensor {
  return scope(() => {
    const near = perturbationLengths(found.sub(images), norm).le(epsilon);
    return ops.where(perImage(near), found, images);
  });
}

/** Length below which a perturbation is none. */
const shortest = 1e-12;

/**
 * Images (N, C, H, W) on the lines from images to those found for them, at a distance, cut to [0, 1]. An
 * image that was found where it is stays there.
 */
function atRadius(images: Tensor, found: Tensor, norm: Norm, epsilon: number): Tensor {
  return scope(() => {
    const moved = found.sub(images);
    const lengths = perturbationLengths(moved, norm);
    const factors = lengths.clamp(shortest).reciprocal().mul(epsilon);
    return images.add(moved.mul(perImage(factors))).clamp(0, 1);
  });
}
