import type { Seed } from "../../base/index.js";
import { countedUniform, imageIdRange, noGrad, scope, tensor } from "../../engine/index.js";

/** Accuracy with its 95 % interval, all shares in [0, 1]. */
export interface Accuracy {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5 % quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * Images' worth of wrong answers, and of correct ones, below which the percentile bootstrap is too narrow.
 */
const leastOfEither = 10;

/** Uniforms drawn at a time, so that memory stays small however many images there are. */
const chunkElements = 2 ** 20;

/**
 * Wilson's score interval of `correct` answers among `total` independent ones (Wilson 1927).
 *
 * @param quantile of the standard normal distribution: 1.96 for 95 %, the default
 */
export function wilson(correct: number, total: number, quantile = z): Accuracy {
  if (!(total > 0 && correct >= 0 && correct <= total)) {
    throw new RangeError(`correct answers must lie in 0 .. ${total}, not ${correct}, of at least one image`);
  }
  const accuracy = correct / total;
  const square = quantile ** 2;
  const center = (accuracy + square / (2 * total)) / (1 + square / total);
  const half =
    (quantile / (1 + square / total)) *
    Math.sqrt((accuracy * (1 - accuracy)) / total + square / (4 * total ** 2));
  // Rounding must not push an end beyond a share of exactly 0 or 1, nor past the accuracy.
  const low = Math.max(0, Math.min(accuracy, center - half));
  const high = Math.min(1, Math.max(accuracy, center + half));
  return { accuracy, low, high };
}

/**
 * Mean over draws and images, with the percentile bootstrap's interval over images (Efron 1979). `correct`
 * holds each image's correct answers among `draws`; the same seed gives the same interval.
 *
 * Near 0 and 1 the bootstrap is too narrow, and where all images are alike it has no width. There, with less
 * than 10 images' worth of wrong answers or of correct ones, the wider of it and Wilson's interval on images
 * is returned. (Not everywhere: the variance of shares is never above that of single answers, so Wilson's
 * would always be wider.)
 */
export function bootstrap(correct: Uint16Array, draws: number, seed: Seed, resamples = 1000): Accuracy {
  const images = correct.length;
  if (images === 0) throw new RangeError("correct answers must be those of at least one image");
  if (!Number.isInteger(resamples) || resamples < 100) {
    throw new RangeError(`resamples must be an integer of at least 100, not ${resamples}`);
  }
  const answers = images * draws;
  const total = correct.reduce((sum, count) => sum + count, 0);
  const totals = resampledTotals(correct, seed, resamples).sort();
  const low = Math.min(total, quantile(totals, 0.025)) / answers;
  const found = { accuracy: total / answers, low, high: Math.max(total, quantile(totals, 0.975)) / answers };
  const alike = correct.every((count) => count === correct[0]);
  if (!alike && Math.min(total, answers - total) >= leastOfEither * draws) return found;
  const onImages = wilson(total / draws, images);
  return onImages.high - onImages.low > found.high - found.low ? onImages : found;
}

/** Correct answers in all, of as many images drawn with replacement, once for each resample. */
function resampledTotals(correct: Uint16Array, seed: Seed, resamples: number): Float64Array {
  const images = correct.length;
  const rows = Math.max(1, Math.floor(chunkElements / images));
  const totals = new Float64Array(resamples);
  for (let first = 0; first < resamples; first += rows) {
    const chunk = Math.min(rows, resamples - first);
    noGrad(() =>
      scope(() => {
        const noise = { seed, draw: 0, imageIds: imageIdRange(first, chunk) };
        const drawn = countedUniform(noise, 0, [images])
          .mul(images)
          .clamp(0, images - 1)
          .to("int64");
        // Sums of whole numbers in float32 are exact below 2^24.
        const counts = tensor(Float32Array.from(correct)).indexSelect(0, drawn.flatten());
        totals.set(counts.reshape([chunk, images]).sumDim([1]).toNumbers(), first);
      }),
    );
  }
  return totals;
}

/** Value below which a share of the sorted values lies, interpolated linearly. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}
