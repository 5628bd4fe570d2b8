import { checkKind, checkNumber, isObject } from "../base/index.js";
import type { BatchPlace } from "./store/store.js";

/**
 * Part of the images that one process works on: every `count`th batch, from number `index` on, which counts
 * from 1. Batches are those of the whole, and so are the images' ids; hence noise and results are too.
 */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Shard as text, such as `2/4`. */
export const shardText = ({ index, count }: Shard): string => `${index}/${count}`;

/** TypeError or RangeError for a shard that is none, or for more shards than there are images or runs. */
export function checkShard(shard: Shard, most: number, what = "images"): void {
  checkKind("shard", shard, "an object such as { index: 1, count: 4 }", isObject(shard));
  const { index, count } = shard;
  const isCount = Number.isInteger(count) && count >= 1 && count <= most;
  checkNumber("shard.count", count, `a whole number in 1 .. ${most}, the number of ${what}`, isCount);
  const isIndex = Number.isInteger(index) && index >= 1 && index <= count;
  checkNumber("shard.index", index, `a whole number in 1 .. ${count}`, isIndex);
}

/**
 * Images of a batch where so many shards share them, which are no more than the images: fewer than asked for
 * where a shard would have none.
 */
export function shardBatchSize(images: number, batchSize: number, shards: number): number {
  const even = Math.ceil(images / shards);
  // Batches rounded up may be fewer than the shards: 5 images in 4 shards make 3 batches of 2.
  const hasAll = Math.ceil(images / even) >= shards;
  return Math.min(batchSize, hasAll ? even : Math.floor(images / shards));
}

/** Places of the batches that make up all images, or a shard of them. */
export function placesOf(images: number, batchSize: number, shard?: Shard): BatchPlace[] {
  const all = Array.from({ length: Math.ceil(images / batchSize) }, (_, batch) => {
    const first = batch * batchSize;
    return { first, count: Math.min(batchSize, images - first) };
  });
  if (shard === undefined) return all;
  return all.filter((_, batch) => batch % shard.count === shard.index - 1);
}
