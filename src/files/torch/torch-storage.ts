import { shownName, sizeOf } from "../../base/index.js";
import { type ElementType, elementTypes } from "../element-types.js";
import type { SafetensorsTensor } from "../safetensors.js";
import { PickleError } from "./pickle-values.js";

/** The classes by which a checkpoint names its storages' types. */
export const storageTypes: Readonly<Record<string, ElementType>> = {
  "torch.FloatStorage": elementTypes.float32,
  "torch.DoubleStorage": elementTypes.float64,
  "torch.HalfStorage": elementTypes.float16,
  "torch.BFloat16Storage": elementTypes.bfloat16,
  "torch.LongStorage": elementTypes.int64,
  "torch.IntStorage": elementTypes.int32,
  "torch.ShortStorage": elementTypes.int16,
  "torch.CharStorage": elementTypes.int8,
  "torch.ByteStorage": elementTypes.uint8,
  "torch.BoolStorage": elementTypes.bool,
};

/** A checkpoint's storage: elements of one type in a file of the archive. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly count: number,
    readonly bytes: Uint8Array,
  ) {
    if (count * type.bytes !== bytes.length) {
      throw new PickleError(
        `storage "${shownName(key)}" of ${count} ${type.name} has ${bytes.length} bytes in the archive`,
      );
    }
  }
}

/** A tensor as PyTorch stores it: a view with strides into a storage, checked to lie inside. */
export class StridedTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  /** The name of PyTorch's element type. */
  get type(): string {
    return this.storage.type.name;
  }

  /** Bytes of an element as it is written: 8 of an integer's int64, 4 of a float32. */
  get writtenBytes(): number {
    return this.storage.type.integer ? 8 : 4;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** A copy in row-major order: floats as float32 (float64 rounded to the nearest), integers as int64. */
  toRowMajor(): SafetensorsTensor {
    const { type, bytes } = this.storage;
    const { shape, size } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const data = type.integer ? new BigInt64Array(size) : new Float32Array(size);
    const index = new Array<number>(shape.length).fill(0);
    let at = this.offset;
    for (let i = 0; i < size; i++) {
      data[i] = type.read(view, at * type.bytes);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        index[axis]!++;
        at += this.strides[axis]!;
        if (index[axis]! < shape[axis]!) break;
        at -= index[axis]! * this.strides[axis]!;
        index[axis] = 0;
      }
    }
    return data instanceof BigInt64Array
      ? { dtype: "int64", shape, data }
      : { dtype: "float32", shape, data };
  }
}
