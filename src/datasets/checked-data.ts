import { checkKind, checkNumber, isObject } from "../base/index.js";
import type { ChannelStatistics, ImageFormat, ImageShape } from "../models/index.js";
import type { MemoryData, SplitData } from "./split.js";

/** Shape of images and names of classes, which decide what pixels and labels fit. */
type Format = Pick<ImageFormat, "imageShape" | "classNames">;

/** Throws a TypeError or RangeError, which begins with `name`, for what is no shape of an image. */
export function checkShape(name: string, shape: ImageShape): void {
  checkKind(name, shape, "[channels, height, width]", Array.isArray(shape) && shape.length === 3);
  for (const side of shape) checkNumber(name, side, "whole numbers >= 1", Number.isInteger(side) && side > 0);
}

/** Throws a TypeError or RangeError, which begins with `name`, unless two classes or more have names. */
export function checkClasses(name: string, classes: readonly string[]): void {
  const named = Array.isArray(classes) && classes.every((label) => typeof label === "string");
  checkKind(name, classes, "a list of class names", named);
  if (classes.length < 2)
    throw new RangeError(`${name} must name two classes or more, given ${classes.length}`);
  const twice = classes.find((label, i) => classes.indexOf(label) < i);
  if (twice !== undefined)
    throw new RangeError(`${name} must have names of their own, given "${twice}" twice`);
}

/** Throws a TypeError, which begins with `name`, unless there are a mean and a deviation for each channel. */
export function checkStatistics(name: string, given: ChannelStatistics, channels: number): void {
  const isList = (one: unknown) =>
    Array.isArray(one) && one.length === channels && one.every(Number.isFinite);
  const fits =
    isObject(given) && isList(given.mean) && isList(given.std) && given.std.every((one) => one > 0);
  const accepted = `{ mean, std } with a number for each channel (${channels}), std above 0`;
  checkKind(name, given, accepted, fits);
}

/**
 * Pixels and labels that fit each other, the shape and the classes, with the labels as a split has them.
 * TypeError or RangeError, which begins with `prefix`, where they do not.
 */
export function checkedData(
  { images, labels }: Pick<MemoryData, "images"> & { readonly labels: ArrayLike<number> },
  { imageShape, classNames }: Format,
  prefix: string,
): MemoryData {
  const typed = images instanceof Uint8Array || images instanceof Float32Array;
  checkKind(`${prefix}images`, images, "a Uint8Array of bytes or a Float32Array in [0, 1]", typed);
  const listed = Array.isArray(labels) || (ArrayBuffer.isView(labels) && "length" in labels);
  checkKind(`${prefix}labels`, labels, "a list of class numbers", listed);
  const pixels = imageShape[0] * imageShape[1] * imageShape[2];
  const count = labels.length;
  if (count === 0) throw new RangeError(`${prefix}labels must hold a label or more, given none`);
  if (images.length !== count * pixels) {
    throw new RangeError(
      `${prefix}images must hold ${count} x [${imageShape.join(", ")}] = ${count * pixels} pixels, ` +
        `one image for each label, given ${images.length}`,
    );
  }
  const last = classNames.length - 1;
  const wrong = Array.prototype.findIndex.call(
    labels,
    (label: unknown) => !(Number.isInteger(label) && (label as number) >= 0 && (label as number) <= last),
  );
  if (wrong >= 0)
    throw new RangeError(`${prefix}labels[${wrong}]: ${labels[wrong]} is not a class in 0 .. ${last}`);
  if (images instanceof Float32Array) {
    const outside = images.findIndex((pixel) => !(pixel >= 0 && pixel <= 1));
    if (outside >= 0) {
      throw new RangeError(
        `${prefix}images[${outside}]: ${images[outside]} is not in [0, 1]; divide bytes by 255`,
      );
    }
  }
  return { images, labels: (last > 255 ? Int32Array : Uint8Array).from(labels), count };
}

/** Split that a data set of a user's own read. TypeError or RangeError that says what does not fit. */
export function checkedRead(what: string, data: SplitData, format: Format): SplitData {
  // Of a promise that is rejected later nobody would hear.
  if ((data as unknown) instanceof Promise) (data as unknown as Promise<unknown>).catch(() => {});
  const fits = isObject(data) && ("stored" in data || "images" in data);
  checkKind(`${what}: read`, data, "a function that returns { images, labels, count }", fits);
  if ("stored" in data) return data;
  const checked = checkedData(data, format, `${what}: `);
  const { count } = checked;
  checkNumber(`${what}: count`, data.count, `${count}, the number of labels`, data.count === count);
  return checked;
}

/** Data set that a source of a user's own opened. TypeError for what is none. */
export function checkedOpened<Opened>(what: string, given: Opened): Opened {
  const fits = isObject(given) && "train" in given && "imageShape" in given;
  checkKind(`${what}: open`, given, "a function that returns a data set, as imagesOf does", fits);
  return given;
}
