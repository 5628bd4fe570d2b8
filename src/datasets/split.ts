import { createHash } from "node:crypto";
import { checkKind, isObject, permutation, type Seed } from "../base/index.js";
import type { ImageFormat } from "../models/index.js";
import type { PreparationOptions, StoredPixels } from "./pixels/stored.js";

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
  /** Throws an Error where the pixels are `stored`: they may not fit in memory. */
  readonly images: Uint8Array | Float32Array;
  readonly labels: Uint8Array | Int32Array;
  readonly count: number;
  /** Pixels that are not in memory; undefined where `images` has them. */
  readonly stored?: StoredPixels | undefined;
}

/** Pixels and labels in memory. */
export type MemoryData = Pick<Split, "images" | "labels" | "count">;

/** Labels, and pixels that lie in files. */
export type StoredData = Pick<Split, "labels" | "count"> & { readonly stored: StoredPixels };

/** Pixels and labels of a split, as a data set's file reads them. */
export type SplitData = MemoryData | StoredData;

export type SplitName = "train" | "test";

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer in [${least}, ${most}], not ${value}`);
  }
}

/** Makes a split of its data. */
export function splitOf(format: Pick<Split, "name" | "imageShape" | "classNames">, data: SplitData): Split {
  const { name, imageShape, classNames } = format;
  const { labels, count } = data;
  if (!("stored" in data)) return { name, imageShape, classNames, images: data.images, labels, count };
  const split = { name, imageShape, classNames, labels, count, stored: data.stored };
  return Object.defineProperty(split, "images", {
    get() {
      throw new Error(
        `the images of ${name} lie in files: await prepareImages(split), then read them in parts by ` +
          "split.stored.read(positions)",
      );
    },
  }) as unknown as Split;
}

/** Throws a TypeError unless what is given is a split, such as `mnist().test`. */
export function checkSplit(split: Split): void {
  const typed =
    isObject(split) &&
    (isObject(split.stored) || ArrayBuffer.isView(split.images)) &&
    ArrayBuffer.isView(split.labels);
  const fits = typed && typeof split.count === "number" && Array.isArray(split.imageShape);
  checkKind("images", split, "a split such as mnist().test", fits);
}

/** The first `limit` images of a split and their labels, as views; `limit` is from 1 to the split's count. */
export function subset(split: Split, limit: number): Split {
  checkSplit(split);
  checkWithin("limit", limit, 1, split.count);
  const labels = split.labels.subarray(0, limit);
  if (split.stored !== undefined) return splitOf(split, { labels, count: limit, stored: split.stored });
  const imageBytes = split.images.length / split.count;
  return { ...split, images: split.images.subarray(0, limit * imageBytes), labels, count: limit };
}

/**
 * Makes the images of a split ready to be read: those that lie in files are decoded, in parallel, and kept on
 * the disk. Training, evaluation and audits do so by themselves.
 *
 * @throws FileFormatError that names the first image that cannot be read
 */
export async function prepareImages(split: Split, options?: PreparationOptions): Promise<void> {
  checkSplit(split);
  await split.stored?.prepare(
    Int32Array.from({ length: split.count }, (_, i) => i),
    options,
  );
}

/** Hash that content is added to. */
interface Digest {
  update(data: string | Uint8Array): Digest;
}

/** Bytes that a hash is given at once: it takes less than 2 GiB. */
const hashedAtOnce = 2 ** 30;

/** Adds the bytes of an array of any length to a hash. */
export function addArray(hash: Digest, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
  for (let at = 0; at < byteLength; at += hashedAtOnce)
    hash.update(new Uint8Array(buffer, byteOffset + at, Math.min(hashedAtOnce, byteLength - at)));
}

/**
 * Adds what identifies a split's images and labels to a hash: the bytes in memory; of files a manifest, which
 * is each image's id, SHA-256 and label in their order, and the way to decode them.
 */
export function addContent(hash: Digest, split: Split): void {
  const { stored, labels, count } = split;
  if (stored === undefined) {
    addArray(hash, split.images);
    addArray(hash, labels);
    return;
  }
  hash.update(stored.form);
  for (let i = 0; i < count; i++) {
    const sum = Buffer.from(stored.sha256(i)).toString("hex");
    hash.update(`${JSON.stringify([stored.id(i), sum, labels[i]])}\n`);
  }
}

/** SHA-256 of what identifies a split's images and labels, as `addContent` has it. */
export function contentHash(split: Split): string {
  const hash = createHash("sha256");
  addContent(hash, split);
  return hash.digest("hex");
}

/**
 * Indices of a split in two parts that share none: `count` held-out images, chosen by the seed alone, and the
 * rest.
 *
 * `count` is from 0 to one less than the split's count. Both parts are in ascending order.
 */
export function setApart(
  split: Split,
  count: number,
  seed: number | Seed,
): { train: Int32Array; heldOut: Int32Array } {
  checkSplit(split);
  checkWithin("count", count, 0, split.count - 1);
  const order = permutation(split.count, seed);
  return { train: order.slice(count).sort(), heldOut: order.slice(0, count).sort() };
}

/**
 * At most `count` of some positions, chosen by the seed alone, in the order of the draw. All of them stay in
 * their own order where there are no more.
 */
export function drawnFrom(positions: Int32Array, count: number, seed: number | Seed): Int32Array {
  if (count >= positions.length) return positions;
  return permutation(positions.length, seed)
    .slice(0, count)
    .map((index) => positions[index]!);
}

/**
 * Tells whether images lie by their classes, as those of a folder for each class do: neighbors share their
 * class more often than halfway between a shuffled order and a sorted one.
 */
export function liesByClass({ labels }: Split, positions: Int32Array): boolean {
  const counts = new Map<number, number>();
  let alike = 0;
  positions.forEach((position, i) => {
    const label = labels[position]!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (i > 0 && labels[positions[i - 1]!] === label) alike++;
  });
  const total = positions.length;
  const shuffled = [...counts.values()].reduce((sum, count) => sum + (count / total) ** 2, 0);
  const sorted = (total - counts.size) / (total - 1);
  return counts.size > 1 && alike / (total - 1) > (shuffled + sorted) / 2;
}

/** Share of the classes that chance would bring, below which the first images are of too few. */
const fewest = 0.6;

/** Probability that chance brings images of the found classes alone, above which nothing is said. */
const likely = 1e-4;

/** Classes among the first images of a split, and among all. */
export interface SampledClasses {
  readonly found: number;
  readonly all: number;
}

/**
 * Counts the classes among the first `limit` images of a split that lies by its classes, as a sorted list
 * does: a figure of theirs is of those classes alone. Undefined where they are about as many as chance would
 * bring.
 */
export function fewClasses(split: Split, limit: number): SampledClasses | undefined {
  checkSplit(split);
  const { labels, count } = split;
  if (limit >= count) return undefined;
  const shares = new Map<number, number>();
  for (const label of labels) shares.set(label, (shares.get(label) ?? 0) + 1 / count);
  const found = new Set(labels.subarray(0, limit));
  let [expected, together] = [0, 0];
  for (const [label, share] of shares) {
    expected += 1 - (1 - share) ** limit;
    if (found.has(label)) together += share;
  }
  if (found.size >= fewest * expected || together ** limit >= likely) return undefined;
  return { found: found.size, all: shares.size };
}
