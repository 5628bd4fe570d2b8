import { encode } from "fast-png";

/** An image in [0, 1], row-major (C, H, W), as gray levels 0 .. 255 of the same order: the nearest. */
export function grayLevels(pixels: Float32Array): Uint8Array {
  return Uint8Array.from(pixels, (pixel) => Math.round(255 * pixel));
}

/**
 * Change of an image's pixels as an image in [0, 1], and the largest of any pixel: middle gray is no change,
 * black and white are the largest.
 */
export function shownChange(clean: Float32Array, changed: Float32Array) {
  const change = changed.map((pixel, i) => pixel - clean[i]!);
  const largest = change.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  return { pixels: change.map((one) => 0.5 + (largest === 0 ? 0 : one / (2 * largest))), largest };
}

/** Tells whether a picture can be drawn of an image of a shape (C, H, W): of one channel or three. */
export function isDrawable([channels]: readonly number[]): boolean {
  return channels === 1 || channels === 3;
}

/**
 * An image of gray levels, row-major (C, H, W) with one channel or three, as an 8-bit PNG; each pixel becomes
 * a square of `zoom` x `zoom`. RangeError for another number of channels or levels that do not fill the
 * shape.
 */
export function imagePng(levels: Uint8Array, shape: readonly [number, number, number], zoom = 1): Uint8Array {
  const [channels, height, width] = shape;
  if (!isDrawable(shape)) throw new RangeError(`an image has 1 or 3 channels, not ${channels}`);
  if (levels.length !== channels * height * width) {
    throw new RangeError(
      `an image of [${shape.join(", ")}] has ${channels * height * width} levels, not ${levels.length}`,
    );
  }
  const [rows, columns] = [height * zoom, width * zoom];
  const data = new Uint8Array(rows * columns * channels);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = Math.floor(y / zoom) * width + Math.floor(x / zoom);
      for (let c = 0; c < channels; c++) {
        data[(y * columns + x) * channels + c] = levels[c * height * width + from]!;
      }
    }
  }
  return encode({ width: columns, height: rows, data, channels, depth: 8 });
}
