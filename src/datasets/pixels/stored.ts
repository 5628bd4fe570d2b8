/** Progress of the preparation of images. */
export interface PreparationProgress {
  readonly done: number;
  readonly total: number;
}

export interface PreparationOptions {
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: PreparationProgress): void;
}

/** Pixels of images that are not in memory: made ready once, then read by positions. */
export interface StoredPixels {
  readonly type: "uint8" | "float32";
  /** Numbers of an image: channels x height x width. */
  readonly imageSize: number;
  /** Everything that decides pixels beside the stored images: resizing, channels, the decoder. */
  readonly form: string;
  /** Name of an image, which stays the same wherever the data lie. */
  id(position: number): string;
  /** SHA-256 of an image as it is stored. */
  sha256(position: number): Uint8Array;
  /** Decodes and checks images, in parallel; FileFormatError that names the one at fault. */
  prepare(positions: ArrayLike<number>, options?: PreparationOptions): Promise<void>;
  /**
   * Pixels of prepared images, one after the other, row-major (C, H, W).
   *
   * @param into array that they are written to, of their length; a new one where left out
   */
  read(positions: ArrayLike<number>, into?: Pixels): Pixels;
}

/** Numbers of pixels: bytes, or floats in [0, 1]. */
export type Pixels = Uint8Array | Float32Array;

/** Array of the type that holds so many images. */
export function pixelArray(
  { type, imageSize }: Pick<StoredPixels, "type" | "imageSize">,
  count: number,
): Pixels {
  return new (type === "uint8" ? Uint8Array : Float32Array)(imageSize * count);
}

/** Images of others at chosen places, in their order. */
export function pickedPixels(pixels: StoredPixels, places: Int32Array): StoredPixels {
  const there = (positions: ArrayLike<number>) => Int32Array.from(positions, (position) => places[position]!);
  const { type, imageSize, form } = pixels;
  return {
    type,
    imageSize,
    form,
    id: (position) => pixels.id(places[position]!),
    sha256: (position) => pixels.sha256(places[position]!),
    prepare: (positions, options) => pixels.prepare(there(positions), options),
    read: (positions, into) => pixels.read(there(positions), into),
  };
}

/** Images of one source, then those of another. */
export function joinedPixels(first: StoredPixels, firstCount: number, second: StoredPixels): StoredPixels {
  const { type, imageSize, form } = first;
  const at = <T>(position: number, ask: (pixels: StoredPixels, position: number) => T): T =>
    position < firstCount ? ask(first, position) : ask(second, position - firstCount);
  return {
    type,
    imageSize,
    form,
    id: (position) => at(position, (pixels, there) => pixels.id(there)),
    sha256: (position) => at(position, (pixels, there) => pixels.sha256(there)),
    async prepare(positions, options) {
      const own = Int32Array.from(positions);
      await first.prepare(
        own.filter((position) => position < firstCount),
        options,
      );
      await second.prepare(
        own.filter((position) => position >= firstCount).map((position) => position - firstCount),
        options,
      );
    },
    read(positions, into = pixelArray(first, positions.length)) {
      for (let i = 0; i < positions.length; i++) {
        const place = into.subarray(i * imageSize, (i + 1) * imageSize);
        at(positions[i]!, (pixels, there) => pixels.read([there], place));
      }
      return into;
    },
  };
}
