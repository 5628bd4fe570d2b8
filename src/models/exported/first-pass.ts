import { countText, deriveSeed, sizeOf } from "../../base/index.js";
import {
  grad,
  imageIdRange,
  scope,
  type Tensor,
  tensor,
  uniform,
  withMemoryLimit,
} from "../../engine/index.js";
import { crossEntropy, type Module } from "../../nn/index.js";
import type { ImageShape } from "../model.js";
import type { Graph } from "./graph.js";

/** Facts that one pass of random images tells of a model. */
export interface FirstPass {
  readonly classes: number;
  /** Fault of the gradient with respect to the images; undefined for none. */
  readonly gradientFault?: string;
}

const leastMemory = 2 ** 30;
/** Activations of an image, in its own bytes, beyond which a model is not taken for one. */
const mostActivations = 64;
const seed = deriveSeed(0, "first-pass");

/** Fault of gradients (N, C, H, W) at random images; undefined for none. */
export function gradientFault(gradient: Tensor): string | undefined {
  return scope(() => {
    if (gradient.isfinite().all().item() === 0) return "the gradient at images is NaN or infinite";
    const rows = gradient.flatten(1);
    if (rows.abs().amax([0, 1]).item() === 0) return "the gradient at images is zero in every pixel";
    const spread = rows
      .amax([1])
      .sub(rows.amin([1]))
      .amax([0])
      .item();
    if (rows.shape[1]! > 1 && spread === 0) return "the gradient at images is the same in every pixel";
    return undefined;
  });
}

/**
 * Runs a model once, forward and back, on random images: with a limit of memory, since a file says what it
 * takes.
 *
 * @throws RangeError for an output that is not (N, classes), TensorError for operators that do not fit
 */
export function firstPass(module: Module, { batch }: Graph, inputShape: ImageShape): FirstPass {
  const count = Math.min(batch.most, Math.max(2, batch.least));
  const pixels = sizeOf(inputShape);
  const limit = Math.max(leastMemory, count * pixels * 4 * mostActivations);
  return withMemoryLimit(limit, () =>
    scope(() => {
      const noise = { seed, draw: 0, imageIds: imageIdRange(0, count) };
      const images = uniform(noise, inputShape).requireGrad();
      const logits = module.apply(images, { training: false, noise });
      const { shape } = logits;
      if (shape.length !== 2 || shape[0] !== count || shape[1]! < 2) {
        throw new RangeError(
          `its output for ${countText(count, "image")} has shape [${shape.join(", ")}], not ` +
            `[${count}, classes]: export a module that returns the logits alone`,
        );
      }
      if (!/float/.test(logits.dtype))
        throw new RangeError(`its output is ${logits.dtype}, not floats as logits are`);
      const classes = shape[1]!;
      if (!logits.requiresGrad)
        return { classes, gradientFault: "there is no gradient from the logits to the images" };
      const labels = tensor(
        Array.from({ length: count }, (_, i) => i % classes),
        [count],
        "int64",
      );
      const [gradient] = grad(crossEntropy(logits.to("float32"), labels).sum(), [images], {
        unused: "zeros",
      });
      const fault = gradientFault(gradient!);
      return fault === undefined ? { classes } : { classes, gradientFault: fault };
    }),
  );
}
