import type { Tensor } from "../../engine/index.js";

/** Smallest logarithm of a logistic's scale (Salimans et al. 2017); the largest is never met by pixels. */
const scales = { smallest: -7, largest: 7 } as const;

/** Highest level of a pixel of 8 bits. */
export const highestLevel = 255;

/** Pixels of levels 0 .. 255 as the density model reads them, in [-1, 1]. */
export function centered(levels: Tensor): Tensor {
  return levels.mul(2 / highestLevel).sub(1);
}

/** Numbers that say a pixel's distribution: 3 a logistic for gray pixels, 10 for three colors. */
export function mixtureNumbers(channels: number, mixtures: number): number {
  return mixtures * (1 + 2 * channels + (channels * (channels - 1)) / 2);
}

/**
 * Distribution of pixels as a mixture of logistics over levels (Salimans et al. 2017, section 2). The
 * channels of a pixel follow each other: within a logistic a channel's mean is linear in the levels before
 * it.
 */
export class LogisticMixture {
  readonly #channels: number;
  readonly #part: (place: number) => Tensor;

  /**
   * @param numbers `mixtureNumbers` along axis 1: logits of the logistics, then means, scales' logarithms and
   *   coefficients of channels
   */
  constructor(numbers: Tensor, channels: number) {
    this.#channels = channels;
    const mixtures = numbers.shape[1]! / mixtureNumbers(channels, 1);
    this.#part = (place) => numbers.slice(1, place * mixtures, (place + 1) * mixtures);
  }

  /** Logarithms of the logistics' weights. */
  weights(): Tensor {
    return this.#part(0).logSoftmax(1);
  }

  /**
   * Logarithm of each logistic's probability of a channel's levels.
   *
   * @param before centered levels of the channels before it, each with one entry along axis 1
   * @param levels levels that fit the numbers, or have an axis more, behind them
   */
  logistic(channel: number, levels: Tensor, before: readonly Tensor[]): Tensor {
    const { smallest, largest } = scales;
    const shift = before.map((value, i) => this.#part(this.#coefficient(channel, i)).tanh().mul(value));
    const mean = shift.reduce((sum, term) => sum.add(term), this.#part(1 + channel));
    const scale = this.#part(1 + this.#channels + channel).clamp(smallest, largest);
    const fits = (value: Tensor) => (levels.shape.length > mean.shape.length ? value.unsqueeze(-1) : value);
    return logBins(levels, fits(mean), fits(scale));
  }

  #coefficient(channel: number, before: number): number {
    return 1 + 2 * this.#channels + (channel * (channel - 1)) / 2 + before;
  }
}

/**
 * Logarithm of a logistic's mass in the bins of levels, of which 0 and 255 are open. For a bin from a to b,
 * in scales from the mean, that is log(s(b) - s(a)) = -softplus(-b) - softplus(a) + log(1 - exp(a - b)):
 * exact where both ends lie far from the mean, too.
 */
function logBins(levels: Tensor, mean: Tensor, logScale: Tensor): Tensor {
  const inverse = logScale.neg().exp();
  const half = inverse.div(highestLevel);
  const middle = centered(levels).sub(mean).mul(inverse);
  const [low, high] = [middle.sub(half), middle.add(half)];
  const [hasLow, hasHigh] = [levels.gt(0).to("float32"), levels.lt(highestLevel).to("float32")];
  // log(1 - exp(-2h)) = log(2 sinh h) - h, which loses nothing for narrow bins.
  const width = half.sinh().mul(2).log().sub(half);
  return high
    .sub(high.softplus())
    .mul(hasHigh)
    .sub(low.softplus().mul(hasLow))
    .add(width.mul(hasLow.mul(hasHigh)));
}

/** Logarithm of the probability of images' levels (N, C, H, W), by the numbers at each pixel: (N, H, W). */
export function logLikelihood(numbers: Tensor, levels: Tensor): Tensor {
  const channels = levels.shape[1]!;
  const mixture = new LogisticMixture(numbers, channels);
  const values = Array.from({ length: channels }, (_, c) => levels.slice(1, c, c + 1));
  const before = values.map(centered);
  return values
    .reduce((sum, value, c) => sum.add(mixture.logistic(c, value, before.slice(0, c))), mixture.weights())
    .logsumexp([1]);
}

/**
 * Likeliest levels (N, C) of pixels within a radius of theirs, channel after channel, by the numbers at each
 * pixel, (N, numbers).
 */
export function likeliestLevels(numbers: Tensor, levels: Tensor, offsets: Tensor): Tensor[] {
  const channels = levels.shape[1]!;
  const mixture = new LogisticMixture(numbers, channels);
  const chosen: Tensor[] = [];
  let weights = mixture.weights();
  for (let channel = 0; channel < channels; channel++) {
    const before = chosen.map(centered);
    const feasible = levels
      .slice(1, channel, channel + 1)
      .add(offsets)
      .clamp(0, highestLevel);
    const masses = mixture.logistic(channel, feasible.unsqueeze(1), before).add(weights.unsqueeze(-1));
    const best = feasible.gather(1, masses.logsumexp([1]).argmax(1, true));
    chosen.push(best);
    if (channel + 1 < channels) weights = weights.add(mixture.logistic(channel, best, before));
  }
  return chosen;
}
