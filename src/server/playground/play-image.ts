import { sizeOf } from "../../base/index.js";
import { imageAs, pictureAs, type Split } from "../../datasets/index.js";
import { areNumbers, type Model } from "../../models/index.js";
import type { PlayRequest } from "../api.js";
import { dataOf, type PlayedModel } from "./opened-model.js";

/** Pixels in [0, 1] of an image (C, H, W), and its class; null is the class that the model says. */
export interface PlayImage {
  readonly pixels: Float32Array;
  readonly label: number | null;
}

const inUnits = (bytes: Uint8Array) => Float32Array.from(bytes, (level) => level / 255);

function checkLabel(label: number | null, { classes }: Model): number | null {
  if (label !== null && label >= classes)
    throw new RangeError(`label ${label}: the model has ${classes} classes`);
  return label;
}

/**
 * Class of the model that a split's image is of, by its name; null where the model has none of that name, as
 * one of digits has none for a ship. Numbers of an exported model's classes are no names.
 */
function classOf(split: Split, position: number, { model, data }: PlayedModel): number | null {
  const label = split.labels[position]!;
  const { classNames } = model;
  const isExported = data === undefined;
  if (isExported && (areNumbers(classNames) || areNumbers(split.classNames))) return checkLabel(label, model);
  const own = classNames.indexOf(split.classNames[label]!);
  return own < 0 ? null : own;
}

/** Image of a split by its position, in the shape of a model's images. */
async function imageAt(split: Split, position: number, { inputShape }: Model): Promise<Float32Array> {
  const { count, stored, imageShape } = split;
  if (position >= count) throw new RangeError(`image ${position}: there are ${count} test images, from 0`);
  await stored?.prepare([position]);
  const size = sizeOf(imageShape);
  const part = stored?.read([position]) ?? split.images.subarray(position * size, (position + 1) * size);
  if (part instanceof Uint8Array) return inUnits(imageAs(part, imageShape, inputShape));
  if (imageShape.join() === inputShape.join()) return Float32Array.from(part);
  return inUnits(
    imageAs(
      Uint8Array.from(part, (pixel) => Math.round(255 * pixel)),
      imageShape,
      inputShape,
    ),
  );
}

/** Image that a request means. RangeError or FileFormatError for what is none. */
export async function playImage({ image }: PlayRequest, opened: PlayedModel): Promise<PlayImage> {
  const { model } = opened;
  if ("picture" in image) {
    const bytes = Buffer.from(image.picture, "base64");
    const pixels = await pictureAs(bytes, "picture", model.inputShape);
    return { pixels: inUnits(pixels), label: checkLabel(image.label, model) };
  }
  if ("pixels" in image) {
    const size = sizeOf(model.inputShape);
    const { pixels } = image;
    if (pixels.length !== size)
      throw new RangeError(`the image has ${pixels.length} pixels; the model takes ${size}`);
    return { pixels: Float32Array.from(pixels), label: checkLabel(image.label, model) };
  }
  const { test } = dataOf(opened, image.data);
  const pixels = await imageAt(test, image.position, model);
  return { pixels, label: classOf(test, image.position, opened) };
}
