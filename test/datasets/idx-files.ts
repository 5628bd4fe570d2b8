import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The bytes of an IDX file of uint8: written from the format's description, apart from the code that reads
 * it.
 */
export function idxBytes(shape: readonly number[], data: Uint8Array, elementType = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt8(elementType, 2);
  header.writeUInt8(shape.length, 3);
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis);
  return Buffer.concat([header, data]);
}

/** `count` images of 28 x 28 whose pixel i is i modulo 251, and labels 0, 1, ..., 9, 0, ... */
export function fakeImages(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 784 }, (_, index) => index % 251);
}

export function fakeLabels(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => index % 10);
}

/** Writes files by name into a new folder, and returns the folder. */
export function writeFolder(folder: string, files: Readonly<Record<string, Uint8Array>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** The four files of a data set laid out as MNIST's, with 20 training and 12 test images. */
export function fakeFiles(): Record<string, Uint8Array> {
  return {
    "train-images-idx3-ubyte": idxBytes([20, 28, 28], fakeImages(20)),
    "train-labels-idx1-ubyte": idxBytes([20], fakeLabels(20)),
    "t10k-images-idx3-ubyte": idxBytes([12, 28, 28], fakeImages(12)),
    "t10k-labels-idx1-ubyte": idxBytes([12], fakeLabels(12)),
  };
}
