import type { SafetensorsTensor } from "./safetensors.js";
import { PickleError } from "./unpickle.js";

/** An element type of PyTorch's: its size, and how one is read; integers become int64, all else float32. */
interface ElementType {
  readonly name: string;
  readonly bytes: number;
  readonly integer: boolean;
  read(view: DataView, at: number): number | bigint;
}

/** The float of 16 bits with 5 of exponent. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));
/** The float of 16 bits that is a float32's upper half. */
function brain(bits: number): number {
  word.setUint32(0, bits * 0x10000);
  return word.getFloat32(0);
}

const float = (name: string, bytes: number, read: ElementType["read"]): ElementType => ({
  name,
  bytes,
  integer: false,
  read,
});
const integer = (name: string, bytes: number, read: ElementType["read"]): ElementType => ({
  name,
  bytes,
  integer: true,
  read,
});

/** The classes by which a checkpoint names its storages' types. */
export const storageTypes: Readonly<Record<string, ElementType>> = {
  "torch.FloatStorage": float("float32", 4, (view, at) => view.getFloat32(at, true)),
  "torch.DoubleStorage": float("float64", 8, (view, at) => view.getFloat64(at, true)),
  "torch.HalfStorage": float("float16", 2, (view, at) => half(view.getUint16(at, true))),
  "torch.BFloat16Storage": float("bfloat16", 2, (view, at) => brain(view.getUint16(at, true))),
  "torch.LongStorage": integer("int64", 8, (view, at) => view.getBigInt64(at, true)),
  "torch.IntStorage": integer("int32", 4, (view, at) => BigInt(view.getInt32(at, true))),
  "torch.ShortStorage": integer("int16", 2, (view, at) => BigInt(view.getInt16(at, true))),
  "torch.CharStorage": integer("int8", 1, (view, at) => BigInt(view.getInt8(at))),
  "torch.ByteStorage": integer("uint8", 1, (view, at) => BigInt(view.getUint8(at))),
  "torch.BoolStorage": integer("bool", 1, (view, at) => BigInt(view.getUint8(at) !== 0)),
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
      throw new PickleError(`storage "${key}" of ${count} ${type.name} has ${bytes.length} bytes in the archive`);
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

  get size(): number {
    return this.shape.reduce((product, side) => product * side, 1);
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
    return data instanceof BigInt64Array ? { dtype: "int64", shape, data } : { dtype: "float32", shape, data };
  }
}
