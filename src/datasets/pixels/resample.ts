/** Ways to resize an image, by their names in PIL. */
export type Interpolation = "bilinear" | "bicubic";

interface Filter {
  /** Pixels on either side that count, at scale 1. */
  readonly support: number;
  weight(distance: number): number;
}

const filters: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys 1981, with a = -1/2.
  bicubic: {
    support: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
};

/** Pixels as bytes, row by row, the channels of a pixel beside each other. */
export interface Raster {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Weights have so many binary places: what a byte times a weight leaves free in 32 bits, and 2 for sums. */
const places = 22;

/** Sources and weights of the pixels `from` to `to` of a side that is resized. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly taps: number;
  readonly values: Int32Array;
}

/**
 * Weights of a side of `before` pixels that becomes one of `after`: a filter as wide as the scale says, so
 * that shrinking averages (antialias). Rounded as PIL rounds them.
 */
function weightsOf(before: number, after: number, filter: Filter, from: number, to: number): Weights {
  const scale = before / after;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const [first, count] = [new Int32Array(to - from), new Int32Array(to - from)];
  const values = new Int32Array((to - from) * taps);
  const row = new Float64Array(taps);
  for (let i = 0; i < to - from; i++) {
    const center = (from + i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(before, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let k = 0; k < end - begin; k++) {
      row[k] = filter.weight((k + begin - center + 0.5) * (1 / stretch));
      sum += row[k]!;
    }
    for (let k = 0; k < end - begin; k++) {
      const weight = (sum === 0 ? row[k]! : row[k]! / sum) * 2 ** places;
      values[i * taps + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[i] = begin;
    count[i] = end - begin;
  }
  return { first, count, taps, values };
}

const clipped = (sum: number) => {
  const value = sum >> places;
  return value < 0 ? 0 : Math.min(value, 255);
};

/** Part of a resized image: its columns from `left` on, its rows from `top` on. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes an image as PIL's `Image.resize` does, to the same bytes: first along rows, then along columns,
 * rounded to bytes between them. Only a window of the result is made.
 */
export function resized(
  image: Raster,
  [width, height]: readonly [number, number],
  interpolation: Interpolation,
  window: Window = { left: 0, top: 0, width, height },
): Raster {
  const filter = filters[interpolation];
  const rows = weightsOf(image.height, height, filter, window.top, window.top + window.height);
  // Strips more than 100 times as high as wide are shrunk along their columns first, as in Pillow 12.
  if (image.height > 100 * image.width && height < image.height) {
    const low = alongColumns(image, rows, 0, window.height);
    return alongRows(low, width, filter, window, 0, window.height);
  }
  const last = window.height - 1;
  // The rows that the second pass reads, or those of the window where there is none.
  const isTall = image.height !== height;
  const firstRow = isTall ? rows.first[0]! : window.top;
  const endRow = isTall ? rows.first[last]! + rows.count[last]! : window.top + window.height;
  const across = alongRows(image, width, filter, window, firstRow, endRow);
  return isTall ? alongColumns(across, rows, firstRow, window.height) : across;
}

function alongRows(
  { pixels, width: before, channels }: Raster,
  after: number,
  filter: Filter,
  { left, width }: Window,
  firstRow: number,
  endRow: number,
): Raster {
  const height = endRow - firstRow;
  const result = new Uint8Array(width * height * channels);
  const raster = { pixels: result, width, height, channels };
  if (before === after) {
    for (let y = 0; y < height; y++) {
      const from = ((firstRow + y) * before + left) * channels;
      result.set(pixels.subarray(from, from + width * channels), y * width * channels);
    }
    return raster;
  }
  const { first, count, taps, values } = weightsOf(before, after, filter, left, left + width);
  for (let y = 0, to = 0; y < height; y++) {
    const row = (firstRow + y) * before * channels;
    for (let x = 0; x < width; x++) {
      const start = row + first[x]! * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (places - 1);
        for (let k = 0, at = start + channel; k < count[x]!; k++, at += channels)
          sum += pixels[at]! * values[x * taps + k]!;
        result[to++] = clipped(sum);
      }
    }
  }
  return raster;
}

function alongColumns(image: Raster, rows: Weights, firstRow: number, height: number): Raster {
  const { pixels, width, channels } = image;
  const rowBytes = width * channels;
  const result = new Uint8Array(rowBytes * height);
  for (let y = 0, to = 0; y < height; y++) {
    const start = (rows.first[y]! - firstRow) * rowBytes;
    for (let i = 0; i < rowBytes; i++) {
      let sum = 1 << (places - 1);
      for (let k = 0, at = start + i; k < rows.count[y]!; k++, at += rowBytes)
        sum += pixels[at]! * rows.values[y * rows.taps + k]!;
      result[to++] = clipped(sum);
    }
  }
  return { pixels: result, width, height, channels };
}
