import { grad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { ImagePass } from "../../nn/classifier.js";

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

/** Which derivative is asked for, and how much it counts. */
export interface DerivativeRequest {
  /** Of logits (N, classes). */
  readonly loss: (logits: Tensor) => Tensor;
  readonly differentiate: Differentiate;
  /** What every part is multiplied by. */
  readonly share: number;
}

/** A derivative at the images of a loss of `answer`'s logits. */
export function derivativeAt(
  images: Tensor,
  answer: (input: Tensor) => Tensor,
  { loss, differentiate, share }: DerivativeRequest,
): Derivative {
  return scope(() => {
    const input = images.detach().requireGrad();
    const logits = answer(input);
    const losses = loss(logits);
    return shared({ gradient: differentiate(losses, input), logits, losses }, share);
  });
}

/** The same through a pass with a gradient of its own; `shown` makes what the loss sees of its logits. */
export function derivativeOf(
  pass: ImagePass,
  shown: (logits: Tensor) => Tensor,
  { loss, differentiate, share }: DerivativeRequest,
): Derivative {
  return scope(() => {
    const input = pass.logits.detach().requireGrad();
    const logits = shown(input);
    const losses = loss(logits);
    const weights = differentiate(losses, input);
    // One gradient of the logits, or one for each column of a Jacobian.
    const columns = Array.from({ length: weights.shape.length === 3 ? weights.shape[1]! : 0 }, (_, k) => k);
    const gradient =
      columns.length === 0
        ? pass.imageGradient(weights)
        : ops.stack(
            columns.map((k) => pass.imageGradient(weights.select(1, k))),
            1,
          );
    return shared({ gradient, logits, losses }, share);
  });
}

function shared({ gradient, logits, losses }: Derivative, share: number): Derivative {
  // A gradient may be an expanded view, which cannot be changed in place.
  if (share === 1) return { gradient: gradient.contiguous(), logits: logits.detach(), losses: losses.detach() };
  return { gradient: gradient.mul(share), logits: logits.detach().mul(share), losses: losses.detach().mul(share) };
}

/** The sum of derivatives, in the tensors of the first. */
export function sumOf([first, ...others]: readonly Derivative[]): Derivative {
  for (const other of others) {
    for (const part of ["gradient", "logits", "losses"] as const) first![part].add_(other[part]);
  }
  return first!;
}
