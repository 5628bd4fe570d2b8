import { sizeOf } from "../base/index.js";
import { checkHostAccess } from "./device/host-access.js";
import { type DType, elementBytes, scalarType } from "./dtype.js";
import { native } from "./native.js";
import { Tensor } from "./tensor.js";
import { sidesOf } from "./tensor-data.js";

/**
 * Makes a tensor of bytes as a file has them, little-endian and row-major, which are copied. RangeError
 * unless they are as many as the shape takes.
 */
export function tensorOfBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Tensor {
  const sides = sidesOf(shape);
  checkHostAccess("a tensor was made of bytes");
  const wanted = sizeOf(sides) * elementBytes[dtype];
  if (wanted !== bytes.length)
    throw new RangeError(`shape [${sides.join(", ")}] takes ${wanted} bytes, not ${bytes.length}`);
  return new Tensor(
    native().fromBytes(bytes.buffer, bytes.byteOffset, bytes.length, sides, scalarType(dtype)),
  );
}

/** The elements of a tensor on the CPU as a file has them: little-endian, in row-major order. */
export function bytesOfTensor(tensor: Tensor): Uint8Array {
  checkHostAccess("a tensor was read");
  return new Uint8Array(native().toBytes(tensor.handle, false));
}
