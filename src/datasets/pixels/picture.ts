import type { ImageShape } from "../../models/index.js";
import { decodeImage } from "./decode.js";
import { gray, planes } from "./fit.js";
import { type Raster, resized } from "./resample.js";

/**
 * Brings an image of red, green and blue to a shape, as bytes (C, H, W): resized until it covers the shape,
 * its middle, gray for one channel. RangeError for a shape of other channels.
 */
function inShape(image: Raster, [channels, height, width]: ImageShape): Uint8Array {
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`pictures are gray or colored; images of ${channels} channels are neither`);
  const colored = channels === 1 ? gray(image) : image;
  const scale = Math.max(width / image.width, height / image.height);
  const wide = Math.max(width, Math.round(scale * image.width));
  const high = Math.max(height, Math.round(scale * image.height));
  const window = {
    left: Math.floor((wide - width) / 2),
    top: Math.floor((high - height) / 2),
    width,
    height,
  };
  return planes(resized(colored, [wide, high], "bilinear", window));
}

/**
 * Decodes a picture, PNG, JPEG or WebP, and brings it to the shape of a model's images, as bytes (C, H, W):
 * resized with antialias, as PIL does it, until it covers the shape; then its middle.
 *
 * @throws FileFormatError that begins with `name` for what is no such picture, or damaged
 */
export async function pictureAs(bytes: Uint8Array, name: string, shape: ImageShape): Promise<Uint8Array> {
  return inShape(await decodeImage(bytes, name), shape);
}

/** Brings an image, bytes (C, H, W) of one channel or three, to another shape, as `pictureAs` does it. */
export function imageAs(
  bytes: Uint8Array,
  [channels, height, width]: ImageShape,
  to: ImageShape,
): Uint8Array {
  if (to.join() === [channels, height, width].join()) return bytes;
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`images of ${channels} channels are not brought to another shape`);
  const pixels = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let channel = 0; channel < 3; channel++)
      pixels[3 * i + channel] = bytes[(channels === 3 ? channel : 0) * height * width + i]!;
  }
  return inShape({ pixels, width, height, channels: 3 }, to);
}
