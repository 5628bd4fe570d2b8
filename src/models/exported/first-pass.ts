import { countText, deriveSeed, sizeOf } from "../../base/index.js";
import {
  grad,
  imageIdRange,
  type Noise,
  noGrad,
  operators,
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

/** The way out for a model of two classes with one score. */
export const oneScore =
  "a single score is of two classes: export a module that returns a score for each, such as " +
  "torch.cat([0 * z, z], 1) of a score z of shape (N, 1), before its sigmoid";

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

/** Fault of the gradient from the logits (N, classes) to the images; undefined for none. */
function faultOfImages(images: Tensor, logits: Tensor): string | undefined {
  if (!logits.requiresGrad) return "there is no gradient from the logits to the images";
  const [count, classes] = logits.shape as [number, number];
  const labels = tensor(
    Array.from({ length: count }, (_, i) => i % classes),
    [count],
    "int64",
  );
  const losses = crossEntropy(logits.to("float32"), labels);
  return gradientFault(grad(losses.sum(), [images], { unused: "zeros" })[0]!);
}

/** Throws a RangeError where the first image has other logits beside other images. */
function checkAlike(module: Module, images: Tensor, logits: Tensor, noise: Noise): void {
  const others = uniform({ ...noise, seed: deriveSeed(0, "other images") }, images.shape.slice(1));
  const changed = operators.cat([images.slice(0, 0, 1), others.slice(0, 1)]);
  const beside = noGrad(() => module.apply(changed, { training: false, noise }));
  const rowOf = (rows: Tensor) => rows.slice(0, 0, 1).to("float64").toNumbers();
  const [before, after] = [rowOf(logits), rowOf(beside)];
  const largest = Math.max(...before.map(Math.abs));
  if (before.some((value, i) => Math.abs(value - after[i]!) > 1e-3 * largest))
    throw new RangeError(
      "an image's logits change with the other images of its batch: export a module that computes each " +
        "image by itself, after model.eval()",
    );
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
        const isOneScore = logits.size === count && /float/.test(logits.dtype);
        throw new RangeError(
          `its output for ${countText(count, "image")} has shape [${shape.join(", ")}], not ` +
            `[${count}, classes]: ${isOneScore ? oneScore : "export a module that returns the logits alone"}`,
        );
      }
      if (!/float/.test(logits.dtype))
        throw new RangeError(`its output is ${logits.dtype}, not floats as logits are`);
      const classes = shape[1]!;
      const fault = faultOfImages(images, logits);
      if (count > 1) checkAlike(module, images.detach(), logits.detach(), noise);
      return fault === undefined ? { classes } : { classes, gradientFault: fault };
    }),
  );
}
