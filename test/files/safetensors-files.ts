/** A file made by hand: header text (not padded) and data. */
import { encodeSafetensors, type SafetensorsTensor } from "../../src/files/index.js";
export function handmade(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.from(header).length));
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** The whole file's bytes. */
export const encode = (...given: Parameters<typeof encodeSafetensors>) =>
  Buffer.concat(encodeSafetensors(...given));

/** One tensor of each type, a scalar and an empty one among them. */
export const small: [string, SafetensorsTensor][] = [
  ["weight", { dtype: "float32", shape: [2, 2], data: new Float32Array([1, -2, 0.5, Number.NaN]) }],
  ["half", { dtype: "bfloat16", shape: [3], data: new Uint16Array([0x3f80, 0xbf80, 0x7fc0]) }],
  ["step", { dtype: "int64", shape: [], data: new BigInt64Array([-(2n ** 63n)]) }],
  ["empty", { dtype: "float32", shape: [0, 4], data: new Float32Array(0) }],
];
