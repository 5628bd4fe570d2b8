import { cpus } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { FileFormatError } from "../../base/index.js";
import { imageHeader } from "../../files/index.js";
import type { ImageShape } from "../../models/index.js";
import { decodeImage, decoderName } from "./decode.js";
import { type Fit, fitted, holdsCrop, shapeAfter } from "./fit.js";
import { PixelCache, sha256 } from "./pixel-cache.js";
import { type Pixels, type PreparationOptions, pixelArray, type StoredPixels } from "./stored.js";

/** Encoded images, PNG, JPEG or WebP, by their positions. */
export interface EncodedImages {
  readonly count: number;
  /** Place of the source, which tells its cache from others. */
  readonly place: string;
  /** Name that stays the same wherever the source lies. */
  id(position: number): string;
  /** Name in errors. */
  name(position: number): string;
  bytes(position: number): Uint8Array;
}

/** Way to decode images. */
export interface Decoding extends Fit {
  /** Takes also images that are damaged, but that the decoder makes something of. */
  readonly damaged: "refuse" | "accept";
}

/** Images that are decoded and brought to one shape when they are prepared, and kept on the disk. */
export class DecodedImages implements StoredPixels {
  readonly type = "uint8" as const;
  readonly imageSize: number;
  readonly form: string;
  readonly #source: EncodedImages;
  readonly #decoding: Decoding;
  readonly #shape: ImageShape;
  readonly #hashes: (Buffer | undefined)[] = [];
  readonly #ready: Uint8Array;
  #cache: PixelCache | undefined;

  constructor(source: EncodedImages, decoding: Decoding, shape: ImageShape) {
    this.#source = source;
    this.#decoding = decoding;
    this.#shape = shape;
    this.imageSize = shape[0] * shape[1] * shape[2];
    this.#ready = new Uint8Array(source.count);
    const { resize, size, crop, interpolation, channels, damaged } = decoding;
    this.form = JSON.stringify({ resize, size, crop, interpolation, channels, damaged, shape, decoderName });
  }

  id(position: number): string {
    return this.#source.id(position);
  }

  sha256(position: number): Uint8Array {
    this.#hashes[position] ??= sha256(this.#source.bytes(position));
    return this.#hashes[position];
  }

  async prepare(
    positions: ArrayLike<number>,
    { signal, onProgress }: PreparationOptions = {},
  ): Promise<void> {
    const missing = Array.from(positions).filter((position) => this.#ready[position] !== 1);
    const total = positions.length;
    let done = total - missing.length;
    let next = 0;
    const work = async () => {
      while (next < missing.length) {
        signal?.throwIfAborted();
        const position = missing[next++]!;
        await this.#prepareOne(position);
        onProgress?.({ done: ++done, total });
        // Reading and resizing are synchronous: signals and timers get their turn between two images.
        await turn();
      }
    };
    const workers = Array.from({ length: Math.min(missing.length, cpus().length + 1) }, work);
    try {
      await Promise.all(workers);
    } finally {
      next = missing.length;
      await Promise.allSettled(workers);
    }
  }

  get #kept(): PixelCache {
    this.#cache ??= new PixelCache(`${this.#source.place}\n${this.form}`, this.imageSize);
    return this.#cache;
  }

  async #prepareOne(position: number): Promise<void> {
    const source = this.#source;
    const bytes = source.bytes(position);
    const hash = sha256(bytes);
    const before = this.#hashes[position];
    const name = source.name(position);
    if (before !== undefined && !before.equals(hash))
      throw new FileFormatError(`${name}: it was changed while it was in use: start again`);
    if (!this.#kept.has(position, hash)) {
      this.#checkShape(bytes, name);
      const strict = this.#decoding.damaged === "refuse";
      const image = await decodeImage(bytes, name, strict).catch((error: Error) => {
        throw strict ? withRemedy(error) : error;
      });
      const result = fitted(image, this.#decoding)!;
      this.#kept.put(position, hash, result.bytes);
    }
    this.#hashes[position] = hash;
    this.#ready[position] = 1;
  }

  /** Refuses an image by its header: what resizing makes of a narrow strip may be many times its size. */
  #checkShape(bytes: Uint8Array, name: string): void {
    const { width, height } = imageHeader(bytes, name);
    const shown = `${name}: ${width} x ${height} pixels`;
    const { crop } = this.#decoding;
    if (!holdsCrop(this.#decoding, width, height))
      throw new FileFormatError(`${shown} are fewer than its crop of ${crop}; give resize or size too`);
    if (shapeAfter(this.#decoding, width, height).join() === this.#shape.join()) return;
    throw new FileFormatError(
      `${shown}, and the images before it have other sides: give size=N, or resize=N and crop=N`,
    );
  }

  read(positions: ArrayLike<number>, into = pixelArray(this, positions.length)): Pixels {
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i]!;
      const name = this.#source.name(position);
      if (this.#ready[position] !== 1)
        throw new Error(`${name} is not decoded yet: await prepareImages(split) before it is read`);
      const place = into.subarray(i * this.imageSize, (i + 1) * this.imageSize) as Uint8Array;
      this.#kept.read(position, place, name);
    }
    return into;
  }
}

function withRemedy(error: Error): Error {
  if (!(error instanceof FileFormatError) || !error.message.includes("cannot be decoded")) return error;
  return new FileFormatError(
    `${error.message}; take the image out, or give damaged=accept for what the decoder makes of it`,
  );
}
