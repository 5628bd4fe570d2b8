import { scope, type Tensor, tensor } from "../engine/index.js";
import type { Split } from "./dataset.js";

/** Images float32 (N, C, H, W) in [0, 1], labels int64 (N), and the images' positions in the split, int64 (N). */
export interface Batch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly imageIds: Tensor;
}

/** A split held by the engine: bytes in memory, floats only in a batch. */
export class TensorSplit {
  readonly count: number;
  readonly #images: Tensor;
  readonly #labels: Tensor;

  constructor(split: Split, imageShape: readonly [number, number, number]) {
    this.count = split.count;
    this.#images = tensor(split.images, [split.count, ...imageShape]);
    this.#labels = tensor(split.labels, [split.count], "int64");
  }

  /** The images of the given positions, in their order. */
  batch(positions: Int32Array): Batch {
    return scope(() => {
      const imageIds = tensor(positions, [positions.length], "int64");
      const images = this.#images.indexSelect(0, imageIds).to("float32").div(255);
      return { images, labels: this.#labels.indexSelect(0, imageIds), imageIds };
    });
  }

  /** The images first, first + 1, ... up to `count` of them. */
  range(first: number, count: number): Batch {
    const length = Math.min(count, this.count - first);
    return this.batch(Int32Array.from({ length }, (_, i) => first + i));
  }

  dispose(): void {
    this.#images.dispose();
    this.#labels.dispose();
  }
}
