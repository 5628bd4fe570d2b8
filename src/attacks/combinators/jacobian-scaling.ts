import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Target } from "../contract/target.js";
import { defineCombinator } from "./combinator.js";

/**
 * PGD++ for any attack: logits are scaled, image by image, so that the singular values of the Jacobian of the logits have
 * mean 1 at the clean image, and gradients neither vanish nor explode (Gupta and Ajanthan 2020, network Jacobian scaling,
 * eq. 8).
 */
// paper: takes one factor for the data set; a factor for each image does not depend on the batch.
export const jacobianScaling = defineCombinator("jacobian-scaling", {
  summary: "another attack on logits scaled to a Jacobian of singular values around 1 (PGD++)",
  takes: "one attack",
  options: z.strictObject({}),
  run: (_, [attack], target, images, labels) =>
    target.run(attack, images, labels, { view: { scale: scope(() => scales(target, images)) } }),
});

/** The factor of each image's logits, (N, 1): 1 over the mean singular value of d logits / d image. */
function scales(target: Target, images: Tensor): Tensor {
  const jacobian = target.jacobian(images).jacobian.flatten(2);
  // A constant network has no singular value to scale by.
  return ops.linalgSvdvals(jacobian).sumDim([1], true).div(target.classes).clamp(1e-12).reciprocal();
}
