import { grad, operators as ops, scope, type Tensor } from "../../engine/index.js";

/** What one draw of a network tells: a derivative with respect to the images, and the logits and losses it was taken at. */
export interface Derivative {
  readonly gradient: Tensor;
  readonly logits: Tensor;
  readonly losses: Tensor;
}

/** Takes the derivative of losses with respect to the images they came from. */
export type Differentiate = (losses: Tensor, images: Tensor) => Tensor;

/** The gradient of each image's loss (N), (N, C, H, W). */
export const gradientOf: Differentiate = (losses, images) => grad(losses.sum(), [images])[0]!;

/** The gradient of every column of outputs (N, K), (N, K, C, H, W). */
export const jacobianOf: Differentiate = (outputs, images) => {
  const columns = outputs.shape[1]!;
  const rows = Array.from({ length: columns }, (_, k) => {
    const [row] = grad(outputs.select(1, k).sum(), [images], { keepGraph: k + 1 < columns });
    return row!;
  });
  return ops.stack(rows, 1);
};

/** A derivative at the images of a loss of `answer`'s logits; every part is multiplied by `share`. */
export function derivativeAt(
  images: Tensor,
  answer: (input: Tensor) => Tensor,
  loss: (logits: Tensor) => Tensor,
  differentiate: Differentiate,
  share: number,
): Derivative {
  return scope(() => {
    const input = images.detach().requireGrad();
    const logits = answer(input);
    const losses = loss(logits);
    const parts = { gradient: differentiate(losses, input), logits: logits.detach(), losses: losses.detach() };
    // A gradient may be an expanded view, which cannot be changed in place.
    if (share === 1) return { ...parts, gradient: parts.gradient.contiguous() };
    return { gradient: parts.gradient.mul(share), logits: parts.logits.mul(share), losses: parts.losses.mul(share) };
  });
}
