import { resolve } from "node:path";
import * as z from "zod";
import { FileFormatError, MissingFileError } from "../../base/index.js";
import { imageHeader } from "../../files/index.js";
import type { ImageShape } from "../../models/index.js";
import { DecodedImages, type Decoding, type EncodedImages } from "../pixels/decoded-images.js";
import { fitOptions, shapeAfter, shapeOf } from "../pixels/fit.js";
import type { StoredData } from "../split.js";
import { mostImageBytes, readRegularFile } from "./regular-file.js";
import { labelArray } from "./source.js";

/** Options of sources of encoded images. */
export const decodingOptions = {
  ...fitOptions,
  damaged: z
    .enum(["refuse", "accept"])
    .default("refuse")
    .describe("accept: images that are damaged, but of which the decoder makes something"),
};

/** Image file of a class. */
export interface ImageFile {
  readonly path: string;
  /** Name in manifests: its path within the source. */
  readonly id: string;
  readonly label: number;
}

/** Images in files, by their positions. */
export function encodedFiles(files: readonly ImageFile[], place: string): EncodedImages {
  return {
    count: files.length,
    place: resolve(place),
    id: (position) => files[position]!.id,
    name: (position) => files[position]!.path,
    bytes(position) {
      const { path } = files[position]!;
      try {
        return readRegularFile(path, mostImageBytes);
      } catch (cause) {
        const isMissing = cause instanceof MissingFileError;
        const reason = isMissing ? "there is no such file" : (cause as NodeJS.ErrnoException).code;
        if (reason === undefined) throw cause;
        throw new FileFormatError(`${place}: the image ${path} cannot be read: ${reason}`, { cause });
      }
    },
  };
}

/** Shape that all images of a source have: that of the options, or that of the first image. */
export function shapeFor(decoding: Decoding, first: EncodedImages): ImageShape {
  const known = shapeOf(decoding);
  if (known !== undefined) return known;
  const name = first.name(0);
  const { width, height } = imageHeader(first.bytes(0), name);
  const shape = shapeAfter(decoding, width, height);
  if (Math.max(...shape) <= 4096) return shape;
  throw new FileFormatError(`${name}: ${width} x ${height} pixels are too many for a model: give size=N`);
}

/** Split of encoded images. */
export function decodedSplit(
  source: EncodedImages,
  labels: ArrayLike<number>,
  classes: number,
  decoding: Decoding,
  shape: ImageShape,
): StoredData {
  const stored = new DecodedImages(source, decoding, shape);
  return { stored, labels: labelArray(labels, classes), count: source.count };
}
