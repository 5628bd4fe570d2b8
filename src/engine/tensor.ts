/// <reference lib="esnext.disposable" preserve="true" />
import { sizeOf, UseAfterDisposeError } from "../base/index.js";
import { checkDevice } from "./device/devices.js";
import { checkHostAccess } from "./device/host-access.js";
import { setTensorWrapper } from "./dispatch.js";
import {
  arrayTypes,
  type DType,
  dtypeOf,
  dtypeOfArray,
  hasArray,
  type MemoryFormat,
  readAs,
  scalarType,
  type TypedArray,
} from "./dtype.js";
import { inspected } from "./inspect.js";
import { type Handle, native } from "./native.js";
import { TensorOperators } from "./operators.js";
import { adopt } from "./scope.js";
import { checkShape, checkWhole, sidesOf } from "./tensor-data.js";

type Description = { shape: readonly number[]; dtype: DType; device: string };

const sharing = new WeakSet<Tensor>();

/** Tells whether an array has a tensor's memory, by `shareArray`. */
export function sharesMemory(tensor: Tensor): boolean {
  return sharing.has(tensor);
}

/**
 * A libtorch tensor. Its memory is freed by `dispose`, by `using`, at the end of the `scope` it was made in,
 * or at the latest when it is collected.
 */
export class Tensor extends TensorOperators {
  #handle: Handle | null;
  #description: Description | undefined;

  /** Wraps a native handle; users make tensors with `tensor`, or with operators. */
  constructor(handle: Handle) {
    super();
    this.#handle = handle;
    adopt(this);
  }

  /**
   * For scopes: whether the garbage collector is told of this tensor's memory. Nothing where it was disposed.
   */
  setCollectable(flag: boolean): void {
    if (this.#handle !== null) native().setCollectable(this.#handle, flag);
  }

  /** The native handle. Throws UseAfterDisposeError once the tensor is disposed. */
  get handle(): Handle {
    if (this.#handle === null) {
      throw new UseAfterDisposeError(
        "this tensor was disposed already: by dispose(), or at the end of its scope, beyond which " +
          "keep() of sqa/engine keeps it",
      );
    }
    return this.#handle;
  }

  get #described(): Description {
    if (this.#description === undefined) {
      const { shape, type, device } = native().describe(this.handle);
      this.#description = { shape, dtype: dtypeOf(type), device };
    }
    return this.#description;
  }

  get shape(): readonly number[] {
    return this.#described.shape;
  }

  get dtype(): DType {
    return this.#described.dtype;
  }

  /** `cpu` or `cuda:0`. */
  get device(): string {
    return this.#described.device;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get requiresGrad(): boolean {
    return native().describe(this.handle).requiresGrad;
  }

  get disposed(): boolean {
    return this.#handle === null;
  }

  /**
   * This tensor with another dtype, or on another device: `to("bfloat16")`, `to({ device: "cuda" })`, or
   * both. Without `copy` it shares its memory with this one where nothing changes. RangeError for a device
   * that is not there.
   */
  override to(
    target: DType | { readonly dtype?: DType; readonly device?: string },
    copy?: boolean,
    memoryFormat?: MemoryFormat,
  ): Tensor {
    if (typeof target === "string") return super.to(target, copy, memoryFormat);
    if (typeof target !== "object" || target === null) {
      throw new TypeError(`to takes a dtype or { dtype, device }, not ${String(target)}`);
    }
    const { dtype = this.dtype, device } = target;
    if (device === undefined) return super.to(dtype, copy, memoryFormat);
    if (device !== this.device) checkHostAccess("a tensor was moved to another device");
    return this.toDevice(checkDevice(device), dtype, copy, memoryFormat);
  }

  /** Makes gradients with respect to this tensor available to `grad`, and returns it. */
  requireGrad(): this {
    native().setRequiresGrad(this.handle, true);
    return this;
  }

  /** A copy of the elements in row-major order; floats of 16 bits become float32, short integers int32. */
  toArray(): TypedArray {
    const { dtype } = this;
    if (!hasArray(dtype)) {
      using wide = this.to(readAs[dtype]);
      return wide.toArray();
    }
    checkHostAccess("a tensor was read");
    return new arrayTypes[dtype](native().toBytes(this.handle, false));
  }

  /**
   * The elements without a copy: writing to the array writes to the tensor, whose memory the array keeps
   * alive. Only for a contiguous tensor on the CPU; throws a TensorError otherwise.
   */
  shareArray(): TypedArray {
    const { dtype } = this;
    if (!hasArray(dtype)) throw noArray(dtype);
    checkHostAccess("a tensor was read");
    sharing.add(this);
    return new arrayTypes[dtype](native().toBytes(this.handle, true));
  }

  /**
   * Sets the elements of a contiguous tensor, row-major, without waiting for a CUDA device. TypeError or
   * RangeError unless the array is of the tensor's type (BigInt64Array for int64) and size.
   */
  write(values: TypedArray): void {
    const { dtype } = this;
    if (!hasArray(dtype)) throw noArray(dtype);
    if (values.length !== this.size || !(values instanceof arrayTypes[dtype])) {
      throw new RangeError(
        `write takes a ${arrayTypes[dtype].name} of ${this.size} elements for ${this.toString()}`,
      );
    }
    checkHostAccess("a tensor was written to");
    native().writeBytes(this.handle, values.buffer, values.byteOffset, values.byteLength);
  }

  /** A copy of the elements as numbers, row-major; int64 values beyond 2^53 lose precision. */
  toNumbers(): number[] {
    return Array.from(this.toArray() as ArrayLike<number | bigint>, Number);
  }

  /** The value of a tensor of one element. Throws a RangeError for any other. */
  item(): number {
    if (this.size !== 1)
      throw new RangeError(`item() takes a tensor of one element, not of shape [${this.shape.join(", ")}]`);
    return Number(this.toArray()[0]);
  }

  /** Frees the memory at once; doing so again does nothing. */
  dispose(): void {
    if (this.#handle === null) return;
    native().dispose(this.#handle);
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  override toString(): string {
    return this.disposed
      ? "Tensor(disposed)"
      : `Tensor(${this.dtype}, [${this.shape.join(", ")}], ${this.device})`;
  }

  /** Text that `console.log` shows: the first values as well. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return inspected(this);
  }
}

function noArray(dtype: keyof typeof readAs): TypeError {
  return new TypeError(`JavaScript has no array type for ${dtype}: convert to ${readAs[dtype]}`);
}

setTensorWrapper((handle) => new Tensor(handle));

/**
 * Makes a tensor from a number, an array of numbers, or a typed array, whose elements are copied.
 *
 * `shape` defaults to one axis (none for a number), `dtype` to that of the typed array, float32 for numbers.
 * RangeError for a number that the dtype does not hold; a typed array is converted as libtorch converts.
 */
export function tensor(
  data: TypedArray | readonly number[] | number,
  shape?: readonly number[],
  dtype?: DType,
): Tensor {
  const numbers = typeof data === "number" ? [data] : data;
  if (
    !ArrayBuffer.isView(numbers) &&
    !(Array.isArray(numbers) && numbers.every((item) => typeof item === "number"))
  ) {
    throw new TypeError("data must be a number, an array of numbers or a typed array");
  }
  const given = shape === undefined ? undefined : sidesOf(shape);
  const array = ArrayBuffer.isView(numbers)
    ? (numbers as TypedArray)
    : Float64Array.from(numbers as readonly number[]);
  const sides = given ?? (typeof data === "number" ? [] : [array.length]);
  checkShape(sides, array.length);
  const own = dtypeOfArray(array);
  const wanted = dtype ?? (array === numbers ? own : "float32");
  if (array !== numbers) checkWhole(array as Float64Array, wanted);
  checkHostAccess("a tensor was made of numbers");
  const made = new Tensor(
    native().fromBytes(array.buffer, array.byteOffset, array.byteLength, sides, scalarType(own)),
  );
  if (wanted === own) return made;
  const converted = made.to(wanted);
  made.dispose();
  return converted;
}
