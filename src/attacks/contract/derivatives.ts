import { grad, type Noise, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Classifier, ImagePass } from "../../nn/index.js";
import { checkedLosses, scaled, type View, viewedLogits } from "./passes.js";

/** Derivative with respect to the images, with the logits and losses at which it was taken. */
export interface Derivative {
  readonly gradient: Tensor;
  readonly logits: Tensor;
  readonly losses: Tensor;
}

/** Takes the derivative of losses with respect to the images that they came from. */
export type Differentiate = (losses: Tensor, images: Tensor) => Tensor;

/** Gradient of a scalar at images: zeros where none comes to them, as with a defense that blocks all. */
function gradientAt(output: Tensor, images: Tensor, keepGraph = false): Tensor {
  return grad(output, [images], { keepGraph, unused: "zeros" })[0]!;
}

/** Gradient (N, C, H, W) of each image's loss (N). */
export const gradientOf: Differentiate = (losses, images) => gradientAt(losses.sum(), images);

/** Gradients (N, K, C, H, W) of every column of outputs (N, K). */
export const jacobianOf: Differentiate = (outputs, images) => {
  const columns = outputs.shape[1]!;
  const rows = Array.from({ length: columns }, (_, k) =>
    gradientAt(outputs.select(1, k).sum(), images, k + 1 < columns),
  );
  return ops.stack(rows, 1);
};

/** Derivative that is wanted, and its weight in a mean. */
export interface DerivativeRequest {
  /** Maps logits (N, classes) to losses. */
  readonly loss: (logits: Tensor) => Tensor;
  readonly differentiate: Differentiate;
  /** Factor of the gradient, the logits and the losses. */
  readonly share: number;
}

/** Losses (N) of logits; columns (N, K) for a Jacobian. RangeError for others, and without a gradient. */
function lossesAt(logits: Tensor, { loss, differentiate }: DerivativeRequest): Tensor {
  const losses = checkedLosses(loss, () => loss(logits));
  const [images] = logits.shape;
  if (differentiate === gradientOf && losses.shape.join() !== String(images)) {
    const given = `[${losses.shape.join(", ")}]`;
    throw new RangeError(
      `the losses that loss returns must be one for each image, of shape [${images}], not ${given}`,
    );
  }
  if (logits.requiresGrad && !losses.requiresGrad)
    throw new RangeError("the attack's loss does not depend on the logits: it passes no gradient");
  return losses;
}

/** Returns a derivative at images, of a loss of the logits that `answer` gives. */
export function derivativeAt(
  images: Tensor,
  answer: (input: Tensor) => Tensor,
  request: DerivativeRequest,
): Derivative {
  return scope(() => {
    const input = images.detach().requireGrad();
    const logits = answer(input);
    const losses = lossesAt(logits, request);
    return shared({ gradient: request.differentiate(losses, input), logits, losses }, request.share);
  });
}

/** Returns a derivative in one draw as a view shows it, by the classifier's own pass where it has one. */
export function derivativeIn(
  classifier: Classifier,
  view: View,
  images: Tensor,
  noise: Noise,
  request: DerivativeRequest,
  count: () => void,
): Derivative {
  // A pass of its own knows nothing of surrogates.
  const pass = view.through === undefined ? classifier.pass?.(images, noise) : undefined;
  if (pass === undefined) {
    return derivativeAt(images, (input) => viewedLogits(classifier, view, input, noise, count), request);
  }
  count();
  return derivativeOf(pass, view, request);
}

function derivativeOf(pass: ImagePass, view: View, request: DerivativeRequest): Derivative {
  return scope(() => {
    const input = pass.logits.detach().requireGrad();
    const logits = scaled(input, view);
    const losses = lossesAt(logits, request);
    const weights = request.differentiate(losses, input);
    // A Jacobian has a gradient of the logits for each of its columns.
    const columns = Array.from({ length: weights.shape.length === 3 ? weights.shape[1]! : 0 }, (_, k) =>
      pass.imageGradient(weights.select(1, k)),
    );
    const gradient = columns.length === 0 ? pass.imageGradient(weights, true) : ops.stack(columns, 1);
    return shared({ gradient, logits, losses }, request.share);
  });
}

function shared({ gradient, logits, losses }: Derivative, share: number): Derivative {
  // A gradient may be an expanded view, which cannot be changed in place.
  if (share === 1)
    return { gradient: gradient.contiguous(), logits: logits.detach(), losses: losses.detach() };
  return {
    gradient: gradient.mul(share),
    logits: logits.detach().mul(share),
    losses: losses.detach().mul(share),
  };
}

/** Sum of derivatives, in the tensors of the first. */
export function sumOf([first, ...others]: readonly Derivative[]): Derivative {
  for (const other of others) {
    for (const part of ["gradient", "logits", "losses"] as const) first![part].add_(other[part]);
  }
  return first!;
}
