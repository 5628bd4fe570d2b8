import { deriveSeed, NotFiniteError } from "../../base/index.js";
import { noGrad, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/classifier.js";
import type { AttackContext } from "./context.js";

/**
 * The error of what holds NaN or an infinity at images (N, C, H, W). Gradients are at fault only where the network's logits
 * there, in one draw, are finite; `situation` opens the message.
 */
export function notFinite(
  model: Classifier,
  images: Tensor,
  context: AttackContext,
  situation: string,
): NotFiniteError {
  const { seed, imageIds } = context;
  const noise = { seed: deriveSeed(seed, "attack", "not finite"), draw: 0, imageIds };
  const logits = noGrad(() => scope(() => model.logits(images, noise).sum().item()));
  return Number.isFinite(logits)
    ? new NotFiniteError("gradients", `${situation}: the gradient of the network's loss is not finite`)
    : new NotFiniteError("logits", `${situation}: the network's logits are not finite`);
}
