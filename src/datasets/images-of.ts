import { createHash } from "node:crypto";
import { checkFolderName, checkKind, checkNumber, isObject, permutation } from "../base/index.js";
import type { ImageFormat, ImageShape } from "../models/index.js";
import { checkClasses, checkedData, checkShape } from "./checked-data.js";
import { type Dataset, datasetOf } from "./dataset.js";
import { addArray, type MemoryData, splitOf } from "./split.js";

/** Images in memory. */
export interface ImagesOfOptions {
  /** Bytes, where p stands for p / 255, or float32 in [0, 1]; row-major (N, C, H, W). */
  readonly images: Uint8Array | Float32Array;
  /** Class number of each image. */
  readonly labels: ArrayLike<number>;
  /** Channels, height and width of an image. */
  readonly shape: ImageShape;
  /** Names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  /**
   * Share of the images that makes up the test split, such as 0.2, chosen by `seed`; or images of its own.
   */
  readonly test?: number | { readonly images: Uint8Array | Float32Array; readonly labels: ArrayLike<number> };
  /** Decides which images are test images; 0 where left out. */
  readonly seed?: number;
  /** Name in run folders and reports; "own-images" where left out. */
  readonly name?: string;
}

/**
 * Data set of images in memory, which goes wherever a data set goes.
 *
 * @throws TypeError or RangeError that names what does not fit: pixels, labels, classes or shapes
 * @example
 * imagesOf({ images: pixels, labels, shape: [3, 64, 64], classes: ["cat", "dog"], test: 0.2 })
 */
export function imagesOf(options: ImagesOfOptions): Dataset {
  checkKind("options", options, "an object such as { images, labels, shape, classes }", isObject(options));
  const { shape, classes, test, seed = 0, name = "own-images" } = options;
  checkFolderName("name", name);
  checkShape("shape", shape);
  checkClasses("classes", classes);
  const format = { imageShape: shape, classNames: classes };
  const given = checkedData(options, format, "");
  const splits = splitBy(given, options, format, seed);
  let identity: string | undefined;
  const data = datasetOf({ name, identity: name, ...format, read: splits });
  return Object.defineProperties(data, {
    name: { value: name, enumerable: true },
    identity: {
      get() {
        identity ??= `${name}-${hashOf(options, data.train, test === undefined ? undefined : data.test)}`;
        return identity;
      },
    },
    ...(test === undefined
      ? { all: { value: splitOf({ name: `${name} all`, ...format }, data.train) } }
      : {}),
    toString: { value: () => name },
    toJSON: { value: () => name },
  }) as Dataset;
}

/** Reads the splits that `test` asks for. */
function splitBy(
  given: MemoryData,
  { test }: ImagesOfOptions,
  format: Pick<ImageFormat, "imageShape" | "classNames">,
  seed: number,
): (split: "train" | "test") => MemoryData {
  if (test === undefined) {
    return (split) => {
      if (split === "train") return given;
      throw new Error("these images have no test split: give test: 0.2, or test images");
    };
  }
  if (typeof test !== "number") {
    checkKind("test", test, "a share such as 0.2, or { images, labels }", isObject(test));
    const other = checkedData(test, format, "test.");
    const alike = other.images instanceof Uint8Array === given.images instanceof Uint8Array;
    checkKind(
      "test.images",
      other.images,
      "bytes where images are bytes, and floats where they are floats",
      alike,
    );
    return (split) => (split === "train" ? given : other);
  }
  const { count } = given;
  const tests = Math.round(test * count);
  checkNumber(
    "test",
    test,
    `a share that leaves images on both sides of ${count}`,
    tests > 0 && tests < count,
  );
  const order = permutation(count, seed);
  const rows = { test: order.slice(0, tests).sort(), train: order.slice(tests).sort() };
  return (split) => picked(given, rows[split]);
}

/** Images and labels of rows, in their order. */
export function picked({ images, labels, count }: MemoryData, rows: Int32Array): MemoryData {
  const size = images.length / count;
  const pixels = new (images instanceof Uint8Array ? Uint8Array : Float32Array)(rows.length * size);
  const classes = new (labels instanceof Uint8Array ? Uint8Array : Int32Array)(rows.length);
  rows.forEach((row, i) => {
    pixels.set(images.subarray(row * size, (row + 1) * size), i * size);
    classes[i] = labels[row]!;
  });
  return { images: pixels, labels: classes, count: rows.length };
}

/** First digits of the SHA-256 of splits, their shape and their classes. */
function hashOf({ shape, classes }: ImagesOfOptions, ...splits: readonly (MemoryData | undefined)[]): string {
  const hash = createHash("sha256").update(JSON.stringify([shape, classes]));
  for (const split of splits) {
    if (split === undefined) continue;
    addArray(hash, split.images);
    addArray(hash, split.labels);
  }
  return hash.digest("hex").slice(0, 8);
}
