import * as z from "zod";
import type { ImageShape } from "../../models/index.js";
import { type Raster, resized } from "./resample.js";

const side = z.int().min(1).max(4096);

/** Options of every source of images that are decoded, or that have any size. */
export const fitOptions = {
  resize: side
    .optional()
    .describe("pixels of the shorter side after resizing, as torchvision's Resize(N) (default: as it is)"),
  size: side
    .optional()
    .describe(
      "width and height after resizing, whatever the image's own, as Resize((N, N)); not with resize",
    ),
  crop: side.optional().describe("width and height of the middle that is kept, as CenterCrop(N)"),
  interpolation: z
    .enum(["bilinear", "bicubic"])
    .default("bilinear")
    .describe("filter of resizing, with antialias, as in PIL"),
  channels: z
    .enum(["color", "gray"])
    .default("color")
    .describe("color: red, green and blue; gray: one channel, as PIL's convert('L')"),
};

/** Way to bring images of any size to one shape. */
export interface Fit {
  readonly resize?: number | undefined;
  readonly size?: number | undefined;
  readonly crop?: number | undefined;
  readonly interpolation: "bilinear" | "bicubic";
  readonly channels: "color" | "gray";
}

/** RangeError for options that contradict each other. */
export function checkFit({ resize, size, crop }: Fit, name: string): void {
  if (size !== undefined && resize !== undefined)
    throw new RangeError(`${name}: give size or resize: both say how large images become`);
  const least = size ?? resize;
  if (crop !== undefined && least !== undefined && crop > least)
    throw new RangeError(`${name}: crop=${crop} is larger than images are after resizing to ${least}`);
}

/** Width and height that an image is resized to, as torchvision works them out. */
function sizeAfter({ resize, size }: Fit, width: number, height: number): readonly [number, number] {
  if (size !== undefined) return [size, size];
  if (resize === undefined) return [width, height];
  const long = Math.trunc((resize * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? [resize, long] : [long, resize];
}

/** Nearest integer, of two the even one, as Python rounds. */
function rounded(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Tells whether the middle that is kept lies within an image of a width and height. */
export function holdsCrop(fit: Fit, width: number, height: number): boolean {
  return fit.crop === undefined || fit.crop <= Math.min(...sizeAfter(fit, width, height));
}

/** Shape of an image of a width and height once it is brought to form. */
export function shapeAfter(fit: Fit, width: number, height: number): ImageShape {
  const [wide, high] = fit.crop === undefined ? sizeAfter(fit, width, height) : [fit.crop, fit.crop];
  return [fit.channels === "gray" ? 1 : 3, high, wide];
}

/** Shape that options alone tell: undefined where it is that of the images. */
export function shapeOf(fit: Fit): ImageShape | undefined {
  const known = fit.crop ?? fit.size;
  return known === undefined ? undefined : [fit.channels === "gray" ? 1 : 3, known, known];
}

/**
 * Brings a decoded image of red, green and blue to form: gray where that is asked for, resized, its middle.
 * Returns bytes (C, H, W). Undefined where the image is smaller than its crop.
 */
export function fitted(image: Raster, fit: Fit): { bytes: Uint8Array; shape: ImageShape } | undefined {
  const colored = fit.channels === "gray" ? gray(image) : image;
  const [width, height] = sizeAfter(fit, image.width, image.height);
  if (!holdsCrop(fit, image.width, image.height)) return undefined;
  const crop = fit.crop === undefined ? [width, height] : [fit.crop, fit.crop];
  const window = {
    left: rounded((width - crop[0]!) / 2),
    top: rounded((height - crop[1]!) / 2),
    width: crop[0]!,
    height: crop[1]!,
  };
  const result = resized(colored, [width, height], fit.interpolation, window);
  return { bytes: planes(result), shape: [result.channels, result.height, result.width] };
}

/** Luma of ITU-R BT.601 in 16 binary places, as PIL has it. */
export function gray({ pixels, width, height, channels }: Raster): Raster {
  const result = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < result.length; i++, at += channels)
    result[i] = (pixels[at]! * 19595 + pixels[at + 1]! * 38470 + pixels[at + 2]! * 7471 + 0x8000) >> 16;
  return { pixels: result, width, height, channels: 1 };
}

/** Bytes (H, W, C) as (C, H, W). */
export function planes({ pixels, width, height, channels }: Raster): Uint8Array {
  if (channels === 1) return pixels;
  const area = width * height;
  const result = new Uint8Array(pixels.length);
  for (let i = 0, at = 0; i < area; i++)
    for (let channel = 0; channel < channels; channel++) result[channel * area + i] = pixels[at++]!;
  return result;
}
