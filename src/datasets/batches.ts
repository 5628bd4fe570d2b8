import { checkKind, checkNumber } from "../base/index.js";
import { checkDevice, operators as ops, scope, type Tensor, tensor } from "../engine/index.js";
import { type Pixels, pixelArray, type StoredPixels } from "./pixels/stored.js";
import { checkSplit, type Split } from "./split.js";

/**
 * Images float32 (N, C, H, W) in [0, 1], labels int64 (N), and the images' positions in the split, int64 (N).
 */
export interface Batch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly imageIds: Tensor;
}

/** A batch in parts of at most so many images, in order. */
export function partsOfBatch({ images, labels, imageIds }: Batch, size: number): Batch[] {
  const count = images.shape[0]!;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const part = (all: Tensor) => all.slice(0, i * size, Math.min(count, (i + 1) * size));
    return { images: part(images), labels: part(labels), imageIds: part(imageIds) };
  });
}

/**
 * Split held by the engine: bytes in the memory of a device, floats only in a batch. Images that lie in files
 * must be prepared (`prepareImages`), and are read for each batch.
 */
export class TensorSplit {
  readonly count: number;
  /** Undefined where the pixels are stored. */
  readonly #images: Tensor | undefined;
  readonly #stored: StoredPixels | undefined;
  readonly #imageShape: readonly number[];
  readonly #labels: Tensor;
  readonly #device: string;
  /** Memory that stored pixels are read into, of the largest batch so far. */
  #read: Pixels = new Uint8Array();
  /** Pixels that `stage` brought, of the largest batch so far. */
  #staged: Tensor | undefined;

  /** On the CPU where no device is given; RangeError for one that is not there. */
  constructor(split: Split, { device = "cpu" } = {}) {
    checkSplit(split);
    this.count = split.count;
    this.#device = checkDevice(device);
    this.#stored = split.stored;
    this.#imageShape = [...split.imageShape];
    if (split.stored === undefined)
      this.#images = this.#placed(() => tensor(split.images, [split.count, ...split.imageShape]));
    this.#labels = this.#placed(() => tensor(split.labels, [split.count], "int64"));
  }

  /** A tensor brought to the device. */
  #placed(make: () => Tensor): Tensor {
    return this.#device === "cpu" ? make() : scope(() => make().to({ device: this.#device }));
  }

  /** The images of the given positions, in their order. */
  batch(positions: Int32Array): Batch {
    checkKind("positions", positions, "an Int32Array", positions instanceof Int32Array);
    const wrong = positions.find((position) => position < 0 || position >= this.count);
    if (wrong !== undefined)
      throw new RangeError(`positions must lie in [0, ${this.count - 1}], not ${wrong}`);
    return scope(() => {
      const imageIds = this.#placed(() => tensor(positions, [positions.length], "int64"));
      if (this.#stored === undefined) return this.at(imageIds);
      const pixels = this.#pixelsOf(positions, this.#stored);
      const shape = [positions.length, ...this.#imageShape];
      return this.#batchOf(
        this.#placed(() => tensor(pixels, shape)),
        imageIds,
      );
    });
  }

  /**
   * Brings the pixels of the batch that `at` is asked for next to where the device reads them; images in
   * memory are there already.
   */
  stage(positions: Int32Array): void {
    if (this.#stored === undefined) return;
    const count = positions.length;
    if (this.#staged === undefined || this.#staged.shape[0]! < count) {
      this.#staged?.dispose();
      this.#staged = ops.zeros([count, ...this.#imageShape], this.#stored.type, this.#device);
    }
    const pixels = this.#pixelsOf(positions, this.#stored);
    scope(() => this.#staged!.slice(0, 0, count).write(pixels));
  }

  #pixelsOf(positions: Int32Array, stored: StoredPixels): Pixels {
    const length = positions.length * stored.imageSize;
    if (this.#read.length < length) this.#read = pixelArray(stored, positions.length);
    return stored.read(positions, this.#read.subarray(0, length));
  }

  /**
   * The images of positions on the split's device, int64 (N), which become the batch's ids. Pixels that lie
   * in files are those that were staged.
   */
  at(imageIds: Tensor): Batch {
    return scope(() => {
      if (this.#images !== undefined) return this.#batchOf(this.#images.indexSelect(0, imageIds), imageIds);
      if (this.#staged === undefined) throw new Error("the batch was not staged");
      return this.#batchOf(this.#staged.slice(0, 0, imageIds.shape[0]!).clone(), imageIds);
    });
  }

  #batchOf(pixels: Tensor, imageIds: Tensor): Batch {
    const images = pixels.dtype === "float32" ? pixels : pixels.to("float32").div(255);
    return { images, labels: this.#labels.indexSelect(0, imageIds), imageIds };
  }

  /** The images first, first + 1, ... up to `count` of them. */
  range(first: number, count: number): Batch {
    const isFirst = Number.isInteger(first) && first >= 0 && first <= this.count;
    checkNumber("first", first, `a whole number in [0, ${this.count}]`, isFirst);
    checkNumber("count", count, "a whole number >= 0", Number.isInteger(count) && count >= 0);
    const length = Math.min(count, this.count - first);
    return this.batch(Int32Array.from({ length }, (_, i) => first + i));
  }

  dispose(): void {
    this.#images?.dispose();
    this.#staged?.dispose();
    this.#labels.dispose();
  }
}
