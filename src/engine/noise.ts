import type { Seed } from "../base/index.js";
import { type NoiseWords, native } from "./native.js";
import { scope } from "./scope.js";
import { Tensor, tensor } from "./tensor.js";

/**
 * The key of all noise in one pass of a network: an element's noise is a function of seed, stream (layer or
 * purpose), draw, image id and element index, so it is the same whatever the batch or the number of threads.
 */
export interface Noise {
  /**
   * Two words, or a tensor of three that holds them when the work is done, so that a captured graph draws
   * anew each time: int64 (3) on the device of the work, or on the CPU: low word, high word, and a number
   * that `draw` is counted from.
   */
  readonly seed: Seed | Tensor;
  /** Number among the independent draws, 0 .. 2^32 - 1. */
  readonly draw: number;
  /**
   * An id for each image of the batch, int64 of shape (N): ids below 2^32. On a CUDA device another id's
   * noise is NaN.
   */
  readonly imageIds: Tensor;
}

/** Ids first, first + 1, ... for `count` images, int64 of shape (count), all below 2^32. */
export function imageIdRange(first: number, count: number): Tensor {
  checkWord("first", first);
  checkWord("count", count);
  if (count > 0) checkWord("the last image id", first + count - 1);
  return tensor(
    Float64Array.from({ length: count }, (_, i) => first + i),
    [count],
    "int64",
  );
}

/** Throws unless a word of a noise key fits 32 bits. */
function checkWord(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${name} must be an integer in 0 .. 2^32 - 1, not ${value}`);
  }
}

/** The words by which the addon knows a stream of a pass's noise; zeros where there is none. */
export function noiseWords(noise: Noise | undefined, stream = 0): NoiseWords {
  if (noise === undefined) return [0, 0, 0, 0, null];
  const { seed, draw } = noise;
  checkWord("draw", draw);
  checkWord("stream", stream);
  return seed instanceof Tensor
    ? [0, 0, draw, stream, seed.handle]
    : [seed.low, seed.high, draw, stream, null];
}

/**
 * Uniforms in [0, 1), float32 of shape (N, ...elementShape), by Philox-4x32-10 (Salmon et al. 2011); on the
 * ids' device.
 */
export function countedUniform(noise: Noise, stream: number, elementShape: readonly number[]): Tensor {
  return new Tensor(
    native().countedUniform(noise.imageIds.handle, elementShape, ...noiseWords(noise, stream)),
  );
}

/** The upper half of the streams is kept for the second uniform of each pair. */
const secondUniforms = 2 ** 31;

/**
 * Standard normal noise, float32 of shape (N, ...elementShape), by the Box-Muller transform of two uniform
 * streams.
 */
export function countedNormal(noise: Noise, stream: number, elementShape: readonly number[]): Tensor {
  checkWord("stream", stream);
  if (stream >= secondUniforms)
    throw new RangeError(`stream of normal noise must lie below 2^31, not ${stream}`);
  return scope(() => {
    // 1 - u lies in (0, 1], so that its logarithm is finite.
    const radius = countedUniform(noise, stream, elementShape).neg().add(1).log().mul(-2).sqrt();
    const angle = countedUniform(noise, stream + secondUniforms, elementShape).mul(2 * Math.PI);
    return radius.mul(angle.cos());
  });
}

/** Over which elements the minimum and maximum of SQA run. */
export const quantizationRanges = ["image", "channel", "batch"] as const;
export type QuantizationRange = (typeof quantizationRanges)[number];

/** Manner in which SQA rounds between two levels. */
export const roundings = ["stochastic", "nearest"] as const;
export type Rounding = (typeof roundings)[number];

/** The largest lambda: above it float32 no longer tells the levels apart well. */
export const largestLambda = 2 ** 20;

/** Throws unless lambda, the number of levels minus one, is one that SQA takes. */
export function checkLambda(lambda: number): void {
  if (!Number.isInteger(lambda) || lambda < 1 || lambda > largestLambda) {
    throw new RangeError(`lambda must be an integer in 1 .. 2^20, not ${lambda}`);
  }
}

/**
 * The SQA kernel: quantizes activations (N, C, ...) or (N, F) to lambda + 1 levels, with a straight-through
 * gradient (Yoon, Park and Kim, Algorithm 1). `uniforms` replaces counted noise; nearest rounding looks at
 * neither. A constant range is returned as it is; one with NaN or infinity in it, or whose width overflows,
 * becomes NaN. `channel` is each channel of each image by itself and needs (N, C, ...). float32, or bfloat16
 * by the arithmetic of float32 and the same draws.
 */
export function quantizeActivation(
  h: Tensor,
  options: { lambda: number; range: QuantizationRange; rounding: Rounding },
  source: { noise: Noise; stream: number } | { uniforms: Tensor } | undefined,
): Tensor {
  const range = quantizationRanges.indexOf(options.range);
  const nearest = options.rounding === "nearest";
  if (range < 0)
    throw new RangeError(`range must be one of ${quantizationRanges.join(", ")}, not ${options.range}`);
  if (!roundings.includes(options.rounding)) {
    throw new RangeError(`rounding must be one of ${roundings.join(", ")}, not ${options.rounding}`);
  }
  checkLambda(options.lambda);
  if (source === undefined && !nearest) throw new TypeError("stochastic rounding needs noise or uniforms");
  const counted = !nearest && source !== undefined && "noise" in source ? source : undefined;
  const uniforms = !nearest && source !== undefined && "uniforms" in source ? source.uniforms : undefined;
  return new Tensor(
    native().quantizeActivation(
      h.handle,
      options.lambda,
      range,
      nearest,
      ...noiseWords(counted?.noise, counted?.stream),
      counted?.noise.imageIds.handle ?? null,
      uniforms?.handle ?? null,
    ),
  );
}
