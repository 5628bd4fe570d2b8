import type { ChannelStatistics } from "./model.js";

/** Mean and standard deviation of each channel, by the name of the images that they are of. */
const statistics: Readonly<Record<string, ChannelStatistics>> = {
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
};

/** Mean and deviation of a text such as `0.5,0.5,0.5/0.25,0.25,0.25`; undefined of another. */
export function statisticsOf(text: string): ChannelStatistics | undefined {
  const named = statistics[text];
  if (named !== undefined) return named;
  const [mean, std, ...others] = text.split("/").map((part) => part.split(",").map(Number));
  if (mean === undefined || std === undefined || others.length > 0) return undefined;
  return [...mean, ...std].every(Number.isFinite) ? { mean, std } : undefined;
}
