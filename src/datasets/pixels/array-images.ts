import { FileFormatError } from "../../base/index.js";
import { type NpyArray, npyNumbers } from "../../files/index.js";
import type { ImageShape } from "../../models/index.js";
import { sha256 } from "./pixel-cache.js";
import { type Pixels, type PreparationOptions, pixelArray, type StoredPixels } from "./stored.js";

/** Order of an array's axes: images, then rows, columns and channels, or channels first. */
export type Layout = "nhwc" | "nchw";

/** Meaning of an array's numbers. */
export interface ArrayForm {
  readonly layout: Layout;
  /** Number that stands for white. */
  readonly white: 1 | 255;
}

/** Images checked between two turns of timers and signals. */
const checkedAtOnce = 64;

/** Images of an array in a file, which are read when they are asked for. */
export class ArrayImages implements StoredPixels {
  readonly type: "uint8" | "float32";
  readonly imageSize: number;
  readonly form: string;
  readonly #array: NpyArray;
  readonly #shape: ImageShape;
  readonly #arrayForm: ArrayForm;
  readonly #name: string;

  constructor(array: NpyArray, shape: ImageShape, form: ArrayForm, name: string) {
    this.#array = array;
    this.#shape = shape;
    this.#arrayForm = form;
    this.#name = name;
    this.imageSize = shape[0] * shape[1] * shape[2];
    this.type = array.type.includes("f") ? "float32" : "uint8";
    this.form = JSON.stringify({ type: array.type, shape, ...form });
  }

  id(position: number): string {
    return `${this.#name} ${position}`;
  }

  sha256(position: number): Uint8Array {
    return sha256(this.#array.read(position * this.imageSize, this.imageSize));
  }

  async prepare(
    positions: ArrayLike<number>,
    { signal, onProgress }: PreparationOptions = {},
  ): Promise<void> {
    // Bytes are pixels, whatever they are.
    if (this.#array.type === "|u1") return;
    const total = positions.length;
    for (let done = 0; done < total; done++) {
      this.#pixelsOf(positions[done]!);
      if (done % checkedAtOnce !== 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      onProgress?.({ done, total });
    }
  }

  read(positions: ArrayLike<number>, into = pixelArray(this, positions.length)): Pixels {
    for (let i = 0; i < positions.length; i++) into.set(this.#pixelsOf(positions[i]!), i * this.imageSize);
    return into;
  }

  /** Pixels of an image, (C, H, W), each checked. */
  #pixelsOf(position: number): ArrayLike<number> {
    const array = this.#array;
    const { white } = this.#arrayForm;
    const first = position * this.imageSize;
    if (array.type === "|u1") return this.#planes(array.read(first, this.imageSize));
    const numbers = npyNumbers(array, first, this.imageSize);
    const isFloat = this.type === "float32";
    const wrong = numbers.findIndex(
      (value) => !(value >= 0 && value <= (isFloat ? white : 255) && (isFloat || Number.isInteger(value))),
    );
    if (wrong >= 0) {
      const range = isFloat ? `[0, ${white}]` : "0 .. 255";
      const hint =
        isFloat && white === 1
          ? "; give white=255 for floats of 0 to 255, and undo a normalization: it belongs into the model"
          : "";
      throw new FileFormatError(
        `${array.name}: pixel ${numbers[wrong]} of image ${position} is not in ${range}${hint}`,
      );
    }
    if (!isFloat) return this.#planes(numbers);
    return this.#planes(white === 1 ? numbers : numbers.map((value) => value / 255));
  }

  #planes(pixels: ArrayLike<number>): ArrayLike<number> {
    const [channels, height, width] = this.#shape;
    if (this.#arrayForm.layout === "nchw" || channels === 1) return pixels;
    const area = height * width;
    const result = pixelArray(this, 1);
    for (let i = 0, at = 0; i < area; i++)
      for (let channel = 0; channel < channels; channel++) result[channel * area + i] = pixels[at++]!;
    return result;
  }
}
