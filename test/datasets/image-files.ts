import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { wordStream } from "../../src/base/index.js";
import { prepareImages, type Split } from "../../src/datasets/index.js";

/** PNG of a color that says the class, on noise that the seed says. */
export function pngOf(label: number, seed: number, width = 12, height = 10): Uint8Array {
  const word = wordStream(seed);
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    return i % 3 === label % 3 ? 200 + (word() % 56) : word() % 64;
  });
  return encode({ data, width, height, channels: 3, depth: 8 });
}

/** Writes `count` PNGs for each class into folders of the classes' names, and returns the folder. */
export function writeClasses(folder: string, classes: readonly string[], count: number, seed = 0): string {
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++)
      writeFileSync(join(folder, name, `${i}.png`), pngOf(label, seed + 100 * label + i));
  }
  return folder;
}

/** Pixels of a whole split, wherever they lie. */
export async function pixelsOf(split: Split): Promise<Uint8Array | Float32Array> {
  if (split.stored === undefined) return split.images;
  await prepareImages(split);
  return split.stored.read(Int32Array.from({ length: split.count }, (_, i) => i));
}

/** Bytes of a `.npy` file, written from NumPy's description of the format, apart from the code that reads it. */
export function npyBytes(descr: string, shape: readonly number[], data: Uint8Array): Buffer {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sides}), }`;
  const header = `${literal.padEnd(117)}\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, "latin1");
  return Buffer.concat([start, data]);
}
