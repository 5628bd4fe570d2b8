import { checkKind } from "../base/index.js";
import { checkDevice, scope, type Tensor, tensor } from "../engine/index.js";
import { checkSplit, type Split } from "./split.js";

/**
 * Images float32 (N, C, H, W) in [0, 1], labels int64 (N), and the images' positions in the split, int64 (N).
 */
export interface Batch {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly imageIds: Tensor;
}

/** Split held by the engine: bytes in the memory of a device, floats only in a batch. */
export class TensorSplit {
  readonly count: number;
  readonly #images: Tensor;
  readonly #labels: Tensor;
  readonly #device: string;

  /** On the CPU where no device is given; RangeError for one that is not there. */
  constructor(split: Split, { device = "cpu" } = {}) {
    checkSplit(split);
    this.count = split.count;
    this.#device = checkDevice(device);
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
    return scope(() => this.at(this.#placed(() => tensor(positions, [positions.length], "int64"))));
  }

  /** The images of positions on the split's device, int64 (N), which become the batch's ids. */
  at(imageIds: Tensor): Batch {
    return scope(() => {
      const pixels = this.#images.indexSelect(0, imageIds);
      const images = pixels.dtype === "float32" ? pixels : pixels.to("float32").div(255);
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
