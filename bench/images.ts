import { deriveSeed } from "../src/base/index.js";
import { type DatasetDefinition, datasetByName, type Split, subset } from "../src/datasets/index.js";
import { countedUniform, imageIdRange, scope } from "../src/engine/index.js";

/** What both sides train on, and what a report calls it. */
export interface BenchImages {
  readonly split: Split;
  readonly source: string;
}

/** Images of a data set's shape out of counted noise: a step takes as long with them. */
function noiseImages({ imageShape, classNames }: DatasetDefinition, count: number): Split {
  const noise = () => ({ seed: deriveSeed(0, "bench images"), draw: 0, imageIds: imageIdRange(0, count) });
  const below = (limit: number, stream: number, shape: readonly number[]) =>
    scope(() => countedUniform(noise(), stream, shape).mul(limit).floor().to("uint8").toArray() as Uint8Array);
  return { images: below(256, 0, imageShape), labels: below(classNames.length, 1, [1]), count };
}

/** Whether the data set's files are where they are looked for without a folder. */
function isAtHand(dataset: DatasetDefinition): boolean {
  try {
    dataset.locate();
    return true;
  } catch {
    return false;
  }
}

/**
 * The first training images of a data set, out of `folder` or where its files are looked for; noise where they are not there.
 * Throws where a given folder does not have them.
 */
export function trainingImages(name: string, count: number, folder: string | undefined): BenchImages {
  const dataset = datasetByName(name);
  if (folder === undefined && !isAtHand(dataset)) {
    const shape = dataset.imageShape.join(" x ");
    return { split: noiseImages(dataset, count), source: `${count} images of counted noise, ${shape} as in ${name}` };
  }
  const { train } = dataset.load(folder === undefined ? {} : { folder });
  return { split: subset(train, count), source: `the first ${count} training images of ${name}` };
}
