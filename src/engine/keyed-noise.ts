import { checkKind, checkNumber, isObject, toSeed } from "../base/index.js";
import { countedNormal, countedUniform, type Noise } from "./noise.js";
import { Tensor } from "./tensor.js";

/**
 * The stream of noise that names none: behind those of quantizers, before those of layers
 * (docs/architecture.md).
 */
const unnamedStream = 2 ** 28;

/** The streams from here on hold the second uniforms of normal noise. */
const streams = 2 ** 31;

const words = (value: number) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

function checkNoise(noise: Noise): void {
  checkKind("noise", noise, "an object { seed, draw, imageIds }", isObject(noise));
  const { seed, draw, imageIds } = noise;
  checkKind("noise.imageIds", imageIds, "a tensor, such as imageIdRange(0, 8)", imageIds instanceof Tensor);
  if (imageIds.dtype !== "int64" || imageIds.shape.length !== 1) {
    throw new RangeError(`noise.imageIds must be int64 of shape [N], not ${imageIds}`);
  }
  checkNumber("noise.draw", draw, "an integer in 0 .. 2^32 - 1", words(draw));
  if (seed instanceof Tensor) return;
  checkKind("noise.seed", seed, "what deriveSeed returns", isObject(seed));
  toSeed(seed);
}

function check(noise: Noise, shape: readonly number[], stream: number): void {
  checkNoise(noise);
  checkKind("shape", shape, "a list of integers >= 0, without the axis of images", Array.isArray(shape));
  if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0)) {
    throw new RangeError(`shape must hold integers >= 0, not [${shape.join(", ")}]`);
  }
  checkNumber("stream", stream, "an integer in 0 .. 2^31 - 1", words(stream) && stream < streams);
}

/**
 * Uniform noise in [0, 1) for each image of a pass: float32 of shape (N, ...shape), on the device of the
 * image ids.
 *
 * It is a function of the noise's seed and draw, the stream, the image's id and the element, and of nothing
 * else. So a random layer made of it gives an image the same output in any batch, on any number of threads,
 * and when a run resumes. Nothing is read back from a device. RangeError or TypeError for a key, shape or
 * stream that cannot be.
 *
 * @param noise The key of a pass: `pass.noise` in a layer.
 * @param shape The shape for one image, without the axis of images.
 * @param stream Tells uses of one key apart. A layer gives `this.noiseStream`; without it all uses draw the
 * same.
 * @example const kept = uniform(pass.noise, input.shape.slice(1), this.noiseStream).ge(0.2);
 */
export function uniform(noise: Noise, shape: readonly number[], stream: number = unnamedStream): Tensor {
  check(noise, shape, stream);
  return countedUniform(noise, stream, shape);
}

/**
 * Standard normal noise for each image of a pass: float32 of shape (N, ...shape). All else is as with
 * `uniform`.
 *
 * @param noise The key of a pass: `pass.noise` in a layer.
 * @param shape The shape for one image, without the axis of images.
 * @param stream Tells uses of one key apart. A layer gives `this.noiseStream`; without it all uses draw the
 * same.
 * @example const noisy = input.add(normal(pass.noise, input.shape.slice(1), this.noiseStream), 0.1);
 */
export function normal(noise: Noise, shape: readonly number[], stream: number = unnamedStream): Tensor {
  check(noise, shape, stream);
  return countedNormal(noise, stream, shape);
}
