import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { defineCombinator } from "../contract/combinator.js";
import type { Victim } from "../contract/victim.js";
import { tiniest, vectorLengths } from "../geometry/norms.js";

/**
 * PGD++ for any attack. Logits are scaled, image by image, until the singular values of their Jacobian have
 * mean 1 at the clean image. So gradients neither vanish nor explode (Gupta and Ajanthan 2020, network
 * Jacobian scaling, eq. 8).
 */
// paper: takes one factor for the data set; a factor for each image does not depend on the batch.
export const jacobianScaling = defineCombinator("jacobian-scaling", {
  summary: "another attack on logits scaled to a Jacobian of singular values around 1 (PGD++)",
  takes: "one attack",
  options: z.strictObject({}),
  run: (_, [attack], victim, images, labels) =>
    victim.run(attack, images, labels, { view: { scale: scope(() => scales(victim, images)) } }),
});

/** Largest factor: with it, logits stay within float32. */
const most = 1e30;

/**
 * Factor of each image's logits, (N, 1): 1 over the mean singular value of d logits / d image; 1 where that
 * is 0.
 */
function scales(victim: Victim, images: Tensor): Tensor {
  const jacobian = victim.jacobian(images).jacobian.flatten(2);
  // Squares of the elements must be in float32.
  const largest = vectorLengths(jacobian.flatten(1), "linf").unsqueeze(1);
  const scaled = jacobian.div(largest.clamp(tiniest).unsqueeze(2));
  const mean = ops.linalgSvdvals(scaled).sumDim([1], true).div(victim.classes).mul(largest);
  return ops.where(mean.gt(0), mean.reciprocal().clamp(undefined, most), mean.onesLike());
}
