import { createHash } from "node:crypto";
import * as z from "zod";
import { checkNumber, permutation } from "../../base/index.js";
import type { ChannelStatistics, ImageShape } from "../../models/index.js";
import type { DatasetWork } from "../dataset.js";
import { datasetOf } from "../dataset.js";
import { picked } from "../images-of.js";
import { pickedPixels } from "../pixels/stored.js";
import { addContent, type SplitData, type SplitName } from "../split.js";
import { channelStatistics } from "../statistics.js";

/** Options of every source. */
export const sourceOptions = {
  path: z.string().min(1).optional().describe("file or folder of the images"),
  classes: z
    .string()
    .min(1)
    .optional()
    .describe("file with the names of the classes in their order, one a line (default: classes.txt beside)"),
  test: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      "share of the images, where they are in one split, that is kept for testing; 0: all are to train on " +
        "(default: all are to test on, or to train on where they are called train)",
    ),
};

/** Images that a source found, in splits, or in one that may be divided. */
export interface FoundImages {
  readonly name: string;
  /** File or folder that they are in. */
  readonly place: string;
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  readonly splits: Partial<Readonly<Record<SplitName, SplitData>>>;
  /** Share of an only split that is kept for testing. */
  readonly testShare: number | undefined;
}

/**
 * Mean and standard deviation that most models of photos are trained with (ImageNet's): those of images that
 * lie in files are not known until all are decoded.
 */
const usualStatistics: Readonly<Record<number, ChannelStatistics>> = {
  1: { mean: [0.449], std: [0.226] },
  3: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
};

/** Path of a source's options; an Error where there is none. */
export function pathOf(path: string | undefined, name: string): string {
  if (path !== undefined) return path;
  throw new Error(`${name}: say where the images are: ${name}(path=PATH)`);
}

/** Makes a data set of what a source found. */
export function sourceOf(found: FoundImages): DatasetWork {
  const { name, place, imageShape, classNames } = found;
  const read = splitReader(found);
  const anyStored = Object.values(found.splits).some((data) => "stored" in data);
  const statistics = anyStored ? usualStatistics[imageShape[0]] : undefined;
  const data = datasetOf({ name, identity: name, imageShape, classNames, statistics, read });
  const only = found.splits.train === undefined || found.splits.test === undefined;
  const isWhole = only && (found.testShare === undefined || found.testShare === 0);
  const whole = () => data[splitOfWhole(found)];
  let identity: string | undefined;
  let computed: ChannelStatistics | undefined;
  return Object.defineProperties(data, {
    identity: {
      get() {
        identity ??= `${name}-${hashOf(found, isWhole ? [whole()] : [data.train, data.test])}`;
        return identity;
      },
    },
    ...(isWhole ? { all: { get: whole } } : {}),
    ...(isWhole && statistics === undefined
      ? {
          statistics: {
            get() {
              computed ??= channelStatistics(whole());
              return computed;
            },
          },
        }
      : {}),
    locate: { value: () => place },
  });
}

/** First digits of the SHA-256 of a manifest: shape, classes, and each image's id, SHA-256 and label. */
function hashOf(
  { imageShape, classNames }: FoundImages,
  splits: readonly Parameters<typeof addContent>[1][],
): string {
  const hash = createHash("sha256").update(JSON.stringify([imageShape, classNames]));
  for (const split of splits) addContent(hash, split);
  return hash.digest("hex").slice(0, 8);
}

/** Split that images without another are: those called train are not tested on, unless by their share. */
function splitOfWhole({ splits, testShare }: FoundImages): SplitName {
  return testShare === 0 || splits.train !== undefined ? "train" : "test";
}

function splitReader(found: FoundImages): (split: SplitName) => SplitData {
  const { name, place, testShare } = found;
  const { train, test } = found.splits;
  if (train !== undefined && test !== undefined) {
    if (testShare !== undefined)
      throw new RangeError(
        `${name}: ${place} has images to train on and to test on: leave test=${testShare} out`,
      );
    return (split) => (split === "train" ? train : test);
  }
  const all = (train ?? test)!;
  if (testShare === undefined || testShare === 0) {
    const has = splitOfWhole(found);
    const which = train === undefined ? "one split of images," : "one split of images, train,";
    return (split) => {
      if (split === has) return all;
      const what = split === "train" ? "to train on" : "to test on";
      throw new Error(
        `${name}: ${place} has ${which} and none is ${what}: give test=0.2 for a share that is kept for ` +
          `testing${split === "train" ? ", or test=0 to train on all" : ""}`,
      );
    };
  }
  const tests = Math.round(testShare * all.count);
  const fits = tests > 0 && tests < all.count;
  checkNumber(`${name}: test`, testShare, `a share that leaves images on both sides of ${all.count}`, fits);
  const order = permutation(all.count, 0);
  const rows = { test: order.slice(0, tests).sort(), train: order.slice(tests).sort() };
  return (split) => pickedData(all, rows[split]);
}

function pickedData(data: SplitData, rows: Int32Array): SplitData {
  if (!("stored" in data)) return picked(data, rows);
  const labels = new (data.labels instanceof Uint8Array ? Uint8Array : Int32Array)(rows.length);
  rows.forEach((row, i) => {
    labels[i] = data.labels[row]!;
  });
  return { stored: pickedPixels(data.stored, rows), labels, count: rows.length };
}

/** Labels in the smallest array that holds every class. */
export function labelArray(labels: ArrayLike<number>, classes: number): Uint8Array | Int32Array {
  return (classes > 256 ? Int32Array : Uint8Array).from(labels);
}
