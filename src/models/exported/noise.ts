import { normal, operators, type Tensor, uniform } from "../../engine/index.js";
import type { NodeContext } from "./graph.js";

/** Tensor of noise that a node asks for. */
export interface NoiseForm {
  readonly shape: readonly number[];
  /** Tells whether the first axis is that of the images, or a multiple of it: each has its own noise. */
  readonly perImage: boolean;
}

type Draw = typeof uniform;

/**
 * Noise of a node, keyed by the pass: that of an image is the same in any batch. Noise without an axis of
 * images is one draw that all images of a pass share.
 */
function draw(from: Draw, { shape, perImage }: NoiseForm, { noise, stream }: NodeContext): Tensor {
  const images = noise.imageIds.shape[0]!;
  const [first = 1, ...rest] = shape;
  const isPerImage = perImage && images > 0 && first % images === 0;
  if (!isPerImage) {
    const imageIds = noise.imageIds.slice(0, 0, 1).mul(0);
    return from({ ...noise, imageIds }, shape, stream).reshape(shape);
  }
  return from(noise, [first / images, ...rest], stream).reshape(shape);
}

/** Uniform noise in [0, 1), or its mean where the pass is without noise. */
export function uniformNoise(form: NoiseForm, context: NodeContext): Tensor {
  if (context.noiseFree) return operators.full(form.shape, 0.5, "float32", context.device);
  return draw(uniform, form, context);
}

/** Standard normal noise, or its mean where the pass is without noise. */
export function normalNoise(form: NoiseForm, context: NodeContext): Tensor {
  if (context.noiseFree) return operators.zeros(form.shape, "float32", context.device);
  return draw(normal, form, context);
}

/** Zeros and ones, one with a probability or tensor of these; without noise the probability itself. */
export function bernoulliNoise(form: NoiseForm, p: Tensor | number, context: NodeContext): Tensor {
  if (context.noiseFree) return operators.zeros(form.shape, "float32", context.device).add(p as Tensor);
  return draw(uniform, form, context)
    .lt(p as Tensor)
    .to("float32");
}
