import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineCombinator } from "../contract/combinator.js";
import type { Norm } from "../contract/options.js";
import { perImage, perturbationLengths } from "../geometry/norms.js";

/**
 * Attack that minimizes the distance, as one of a radius: images that it found farther away are given back as
 * they were. So hop-skip-jump and pgd can be compared: `within(hop-skip-jump(norm=linf), epsilon=0.3)`.
 *
 * RangeError for an attack without a norm, or with a radius of its own.
 */
export const within = defineCombinator("within", {
  summary: "a minimum-norm attack at a radius: images farther away are given back as they were",
  takes: "one attack",
  options: z.strictObject({
    epsilon: ratio({ above: 0 }).default(0.3).describe("radius in the attack's norm, pixels in [0, 1]"),
  }),
  traits([attack], { epsilon }) {
    const { norm, radius } = attack!.traits;
    const { name } = attack!;
    if (norm === "none") throw new RangeError(`attack within: no norm measures ${name}`);
    if (radius !== undefined) {
      throw new RangeError(`attack within: takes an attack that minimizes its norm; ${name} has a radius`);
    }
    return { ...attack!.traits, radius: epsilon };
  },
  run({ epsilon }, [attack], victim, images, labels) {
    const found = victim.run(attack, images, labels);
    return nearImages(images, found, attack.traits.norm as Norm, epsilon);
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
