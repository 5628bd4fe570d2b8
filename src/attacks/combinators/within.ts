import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/ratio.js";
import type { Norm } from "../contract/attack.js";
import { perImage, perturbationLengths } from "../geometry/perturbation-length.js";
import { defineCombinator } from "./combinator.js";

/**
 * An attack that minimizes the distance, as one of a radius: images farther away than that are given back as they were, so
 * that hop-skip-jump and pgd can be compared. `within(hop-skip-jump(norm=linf), epsilon=0.3)`.
 *
 * Throws a RangeError for an attack that no norm says anything of, or that has a radius already.
 */
export const within = defineCombinator("within", {
  summary: "a minimum-norm attack at a radius: what lies farther away is given back as it was",
  takes: "one attack",
  options: z.strictObject({
    epsilon: ratio({ min: 0 }).default(0.3).describe("radius in the attack's norm, pixels in [0, 1]"),
  }),
  traits([attack], { epsilon }) {
    const { norm, radius } = attack!.traits;
    if (norm === "none") throw new RangeError(`attack within: no norm measures ${attack!.name}`);
    if (radius !== undefined) {
      throw new RangeError(`attack within: takes an attack that minimizes its norm; ${attack!.name} has a radius`);
    }
    return { ...attack!.traits, radius: epsilon };
  },
  run({ epsilon }, [attack], target, images, labels) {
    const found = target.run(attack, images, labels);
    return nearImages(images, found, attack.traits.norm as Norm, epsilon);
  },
});

/** Of images (N, C, H, W) found for others those that lie within a radius of them; the others themselves elsewhere. */
export function nearImages(images: Tensor, found: Tensor, norm: Norm, epsilon: number): Tensor {
  return scope(() => {
    const near = perturbationLengths(found.sub(images), norm).le(epsilon);
    return ops.where(perImage(near), found, images);
  });
}
