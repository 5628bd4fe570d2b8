import type { ChannelStatistics } from "../models/index.js";
import { checkSplit, type Split } from "./split.js";

/**
 * Mean and standard deviation of each channel over all pixels of a split, for pixels in [0, 1]. A channel
 * that is constant has the deviation 1, which leaves it as it is.
 */
export function channelStatistics(split: Split): ChannelStatistics {
  checkSplit(split);
  const { images, count, imageShape } = split;
  const [channels, height, width] = imageShape;
  const area = height * width;
  const scale = images instanceof Uint8Array ? 255 : 1;
  // Differences from one pixel: a channel that is constant has none at all, whatever its value rounds to.
  const sums = Array.from({ length: channels }, (_, channel) => ({
    from: images[channel * area]!,
    sum: 0,
    squares: 0,
  }));
  for (let image = 0; image < count; image++) {
    for (const [channel, total] of sums.entries()) {
      const first = (image * channels + channel) * area;
      // Sums of one image's bytes are exact; those of all images are not far from it.
      let [sum, squares] = [0, 0];
      for (let i = first; i < first + area; i++) {
        const difference = images[i]! - total.from;
        sum += difference;
        squares += difference * difference;
      }
      total.sum += sum;
      total.squares += squares;
    }
  }
  const pixels = count * area;
  return {
    mean: sums.map(({ from, sum }) => (from + sum / pixels) / scale),
    std: sums.map(
      ({ sum, squares }) => Math.sqrt(Math.max(0, squares / pixels - (sum / pixels) ** 2)) / scale || 1,
    ),
  };
}
