import { checkKind, isObject, permutation, type Seed } from "../base/index.js";
import type { ImageFormat } from "../models/index.js";

/**
 * Images and labels that belong together. Pixels are bytes, where p stands for p / 255, or float32 in [0, 1].
 *
 * `images` holds count x C x H x W pixels, row-major (N, C, H, W), and may be a view into a larger buffer;
 * `labels` holds a class number for each image. Both are shared by everybody who asks for them: nobody writes
 * to them.
 */
export interface Split extends Pick<ImageFormat, "imageShape" | "classNames"> {
  /** Name in messages and reports, such as "mnist test". */
  readonly name: string;
  readonly images: Uint8Array | Float32Array;
  readonly labels: Uint8Array | Int32Array;
  readonly count: number;
}

/** Pixels and labels of a split, as a data set's file reads them. */
export type SplitData = Pick<Split, "images" | "labels" | "count">;

export type SplitName = "train" | "test";

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer in [${least}, ${most}], not ${value}`);
  }
}

/** Throws a TypeError unless what is given is a split, such as `mnist().test`. */
export function checkSplit(split: Split): void {
  const typed = isObject(split) && ArrayBuffer.isView(split.images) && ArrayBuffer.isView(split.labels);
  const fits = typed && typeof split.count === "number" && Array.isArray(split.imageShape);
  checkKind("images", split, "a split such as mnist().test", fits);
}

/** The first `limit` images of a split and their labels, as views; `limit` is from 1 to the split's count. */
export function subset(split: Split, limit: number): Split {
  checkSplit(split);
  checkWithin("limit", limit, 1, split.count);
  const imageBytes = split.images.length / split.count;
  return {
    ...split,
    images: split.images.subarray(0, limit * imageBytes),
    labels: split.labels.subarray(0, limit),
    count: limit,
  };
}

/**
 * Indices of a split in two parts that share none: `count` held-out images, chosen by the seed alone, and the
 * rest.
 *
 * `count` is from 0 to one less than the split's count. Both parts are in ascending order.
 */
export function holdOut(
  split: Split,
  count: number,
  seed: number | Seed,
): { train: Int32Array; heldOut: Int32Array } {
  checkSplit(split);
  checkWithin("count", count, 0, split.count - 1);
  const order = permutation(split.count, seed);
  return { train: order.slice(count).sort(), heldOut: order.slice(0, count).sort() };
}
