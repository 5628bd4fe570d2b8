import { FileFormatError, messageOf } from "../../base/index.js";
import { imageHeader, mostPixels } from "../../files/index.js";
import type { Raster } from "./resample.js";

/** Name and version of the decoder, which decides pixels: decoders differ by a level or two. */
export const decoderName = "sharp 0.35.5";

/** Images are decoded at a time until their pixels reach this number. */
const pixelsAtOnce = 2 ** 26;
let pixelsUnderWay = 0;
const waiting: (() => void)[] = [];

/**
 * Decodes a PNG, JPEG or WebP image to red, green and blue, 8 bits each, as PIL's `convert("RGB")` does.
 * Transparency is dropped, gray is repeated, inks (CMYK) are mixed; color profiles and the orientation that a
 * camera notes are left alone.
 *
 * @param strict refuses also what a decoder can guess at, such as a broken stretch of a JPEG
 * @throws FileFormatError that begins with `file` for another format, a damaged image, or too many pixels
 */
export async function decodeImage(bytes: Uint8Array, file: string, strict = true): Promise<Raster> {
  const { width, height, cmyk = false } = imageHeader(bytes, file);
  const pixels = width * height;
  while (pixelsUnderWay > 0 && pixelsUnderWay + pixels > pixelsAtOnce)
    await new Promise<void>((resolve) => waiting.push(resolve));
  pixelsUnderWay += pixels;
  try {
    return await decoded(bytes, file, strict, { width, height, cmyk });
  } finally {
    pixelsUnderWay -= pixels;
    for (const go of waiting.splice(0)) go();
  }
}

async function decoded(
  bytes: Uint8Array,
  file: string,
  strict: boolean,
  { width, height, cmyk }: { readonly width: number; readonly height: number; readonly cmyk: boolean },
): Promise<Raster> {
  const { default: sharp } = await import("sharp");
  const options = {
    failOn: strict ? "warning" : "truncated",
    ignoreIcc: true,
    limitInputPixels: mostPixels,
    pages: 1,
  } as const;
  let found: { data: Buffer; info: { width: number; height: number; channels: number } };
  try {
    const image = sharp(bytes, options);
    // Inks as they are: a color profile would mix them in another way than PIL does.
    const colors = cmyk ? image.pipelineColourspace("cmyk").toColourspace("cmyk") : image;
    found = await colors.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  } catch (error) {
    const reason = messageOf(error).split("\n")[0]!.trim();
    throw new FileFormatError(`${file}: cannot be decoded, it is truncated or damaged (${reason})`);
  }
  const { data, info } = found;
  if (info.width !== width || info.height !== height)
    throw new FileFormatError(`${file}: its header and its picture have different sizes: damaged`);
  return cmyk ? ofInks(data, width, height) : rgb(data, info);
}

/** Red, green and blue of four inks, to the bytes of PIL's `convert("RGB")`. */
function ofInks(inks: Uint8Array, width: number, height: number): Raster {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const light = 255 - inks[4 * i + 3]!;
    for (let k = 0; k < 3; k++) {
      const product = inks[4 * i + k]! * light + 128;
      pixels[3 * i + k] = light - ((product + (product >> 8)) >> 8);
    }
  }
  return { pixels, width, height, channels: 3 };
}

/** Red, green and blue alone. */
function rgb(data: Uint8Array, info: { width: number; height: number; channels: number }): Raster {
  const { width, height, channels } = info;
  if (channels === 3) return { pixels: data, width, height, channels };
  const pixels = new Uint8Array(width * height * 3);
  const step = channels >= 3 ? 1 : 0;
  for (let i = 0; i < width * height; i++)
    for (let k = 0; k < 3; k++) pixels[3 * i + k] = data[i * channels + k * step]!;
  return { pixels, width, height, channels: 3 };
}
