import { deriveSeed } from "../../src/base/index.js";
import { type Dataset, datasets, imagesOf, type Split, subset } from "../../src/datasets/index.js";
import { countedUniform, imageIdRange, scope } from "../../src/engine/index.js";

/** Images that both sides train on, and their name in a report. */
export interface BenchImages {
  readonly split: Split;
  readonly source: string;
}

/** Images of a data set's shape out of counted noise: a step takes as long with them. */
function noiseImages({ imageShape, classNames }: Dataset, count: number): Split {
  const noise = () => ({ seed: deriveSeed(0, "bench images"), draw: 0, imageIds: imageIdRange(0, count) });
  const below = (limit: number, stream: number, shape: readonly number[]) =>
    scope(
      () => countedUniform(noise(), stream, shape).mul(limit).floor().to("uint8").toArray() as Uint8Array,
    );
  const [images, labels] = [below(256, 0, imageShape), below(classNames.length, 1, [1])];
  return imagesOf({ images, labels, shape: imageShape, classes: classNames, name: "noise" }).train;
}

/** Tells whether the data set's files are where they are looked for without a folder. */
function isAtHand(dataset: Dataset): boolean {
  try {
    dataset.locate?.();
    return true;
  } catch {
    return false;
  }
}

/**
 * The first training images of a data set, out of `folder` or where its files are looked for; noise where
 * they are not there. Throws where a given folder does not have them.
 */
export function trainingImages(name: string, count: number, folder: string | undefined): BenchImages {
  const dataset = datasets.parse({ name, options: folder === undefined ? {} : { folder } });
  if (folder === undefined && !isAtHand(dataset)) {
    const shape = dataset.imageShape.join(" x ");
    return {
      split: noiseImages(dataset, count),
      source: `${count} images of counted noise, ${shape} as in ${name}`,
    };
  }
  return { split: subset(dataset.train, count), source: `the first ${count} training images of ${name}` };
}
