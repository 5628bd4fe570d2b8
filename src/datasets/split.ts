import { checkKind, isObject, permutation, type Seed } from "../base/index.js";
import type { Split } from "./dataset.js";

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer in [${least}, ${most}], not ${value}`);
  }
}

/** Throws a TypeError unless what is given is a split, such as `mnist.load().test`. */
export function checkSplit(split: Split): void {
  const fits = isObject(split) && [split.images, split.labels].every((bytes) => bytes instanceof Uint8Array);
  checkKind("split", split, "a split such as mnist.load().test", fits && typeof split.count === "number");
}

/** The first `limit` images of a split and their labels, as views; `limit` is from 1 to the split's count. */
export function subset(split: Split, limit: number): Split {
  checkSplit(split);
  checkWithin("limit", limit, 1, split.count);
  const imageBytes = split.images.length / split.count;
  return {
    images: split.images.subarray(0, limit * imageBytes),
    labels: split.labels.subarray(0, limit),
    count: limit,
  };
}

/**
 * Indices of a split in two parts that share none: `count` held-out images, chosen by the seed alone, and the rest.
 *
 * `count` is from 0 to one less than the split's count. Both parts are in ascending order.
 */
export function holdOut(split: Split, count: number, seed: number | Seed): { train: Int32Array; heldOut: Int32Array } {
  checkSplit(split);
  checkWithin("count", count, 0, split.count - 1);
  const order = permutation(split.count, seed);
  return { train: order.slice(count).sort(), heldOut: order.slice(0, count).sort() };
}
