import * as z from "zod";
import { deriveSeed, type Work } from "../../base/index.js";
import { type Dataset, type DatasetText, prepareImages, subset, TensorSplit } from "../../datasets/index.js";
import { densityPart, logLikelihood, PixelCnn, partNotes } from "../../defenses/index.js";
import { imageIdRange, scope, type Tensor } from "../../engine/index.js";
import { adam, oneCycle } from "../../nn/index.js";
import { parseOptions, ratio } from "../../options/index.js";
import { dataOption } from "../config.js";
import type { PartEvent } from "./events.js";
import { PartFolder } from "./part-folder.js";
import { checkedPartOptions, type PartOptions, type TrainedPart, trainPart } from "./train-part.js";

/** Options of a density model's training, beside its images. */
export const densityOptions = {
  limit: z.int().min(1).optional().describe("number of training images, the first ones (default: all)"),
  epochs: z.int().min(1).max(10_000).default(10).describe("passes over the training images"),
  batchSize: z.int().min(1).default(32).describe("images in a step"),
  filters: densityPart.sizes.shape.filters.default(24).describe("filters of a convolution"),
  layers: densityPart.sizes.shape.layers.default(5).describe("gated layers"),
  mixtures: densityPart.sizes.shape.mixtures.default(5).describe("logistics of a pixel's distribution"),
  learningRate: ratio({ above: 0 }).default(0.003).describe("peak of one cycle of the learning rate"),
  seed: z.int().min(0).default(0).describe("seed of weights and shuffling"),
};

const densityConfig = z.strictObject({ data: dataOption, ...densityOptions });

/** Everything that decides a density model's weights. */
export type DensityConfig = Omit<z.input<typeof densityConfig>, "data"> & {
  /** Data set whose training images it learns, with pixels of 8 bits. */
  readonly data: Dataset | DatasetText;
};

/** Test images by which it is measured, at most. */
const measuredImages = 500;

/** Bits that a channel of a pixel costs under the model. */
function bits(model: PixelCnn, images: Tensor, training: boolean): Tensor {
  const levels = images.mul(255).round();
  const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, images.shape[0]!) };
  const numbers = model.apply(levels, { training, noise });
  return logLikelihood(numbers, levels)
    .mean()
    .div(-Math.LN2 * images.shape[1]!);
}

/** Mean bits of images that it was not trained on. */
function measured(model: PixelCnn, unseen: TensorSplit): number {
  let sum = 0;
  for (let first = 0; first < unseen.count; first += 100) {
    const { images } = unseen.range(first, 100);
    sum += scope(() => bits(model, images, false).item()) * images.shape[0]!;
  }
  return sum / unseen.count;
}

/**
 * Trains the density model of PixelDefend on a data set's training images: awaited it gives its folder, which
 * the defense's option `density` takes; watched its events. Losses and measure are bits a channel of a pixel.
 *
 * The same call goes on with a training that was stopped or killed.
 *
 * @throws RangeError or TypeError for a wrong configuration, before anything runs
 * @example
 * const { folder } = await trainDensity({ data: mnist(), epochs: 5 });
 * const defense = pixelDefend({ density: folder, epsilon: 32 / 255 });
 */
export function trainDensity(config: DensityConfig, options: PartOptions = {}): Work<PartEvent, TrainedPart> {
  const checked = checkedPartOptions(options);
  const given = parseOptions("training", "density model", densityConfig, config as object);
  const { data, limit, filters, layers, mixtures, seed, epochs, batchSize, learningRate } = given;
  const { train, test } = data;
  if (limit !== undefined && limit > train.count)
    throw new RangeError(`limit must be at most ${train.count}, the images of ${data.name}, not ${limit}`);
  const split = limit === undefined ? train : subset(train, limit);
  const sizes = { channels: data.imageShape[0], filters, layers, mixtures };
  const facts = { part: densityPart.name, ...given, data: data.identity, limit: split.count };
  const folder = new PartFolder(checked.runs, `density-${data.name}-seed${seed}`, facts);
  const make = async (signal: AbortSignal) => {
    const seen = subset(test, Math.min(measuredImages, test.count));
    for (const part of [split, seen]) await prepareImages(part, { signal });
    const model = new PixelCnn(sizes, deriveSeed(seed, "density"));
    const images = new TensorSplit(split);
    const unseen = new TensorSplit(seen);
    return {
      module: model,
      notes: partNotes(densityPart, sizes),
      images: split.count,
      seed: deriveSeed(seed, "density training"),
      epochs,
      batchSize,
      optimizer: adam(),
      schedule: oneCycle({ peak: learningRate }),
      loss: (positions: Int32Array) => bits(model, images.batch(positions).images, true),
      measure: () => measured(model, unseen),
      dispose() {
        images.dispose();
        unseen.dispose();
      },
    };
  };
  return trainPart(folder, make, checked);
}
