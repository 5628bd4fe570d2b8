import { join } from "node:path";
import { wordStream } from "../../src/base/index.js";
import { writeFolder } from "./idx-files.js";

/**
 * Records as CIFAR-10's: a label byte, then planes of red, green and blue. The images are made by us: a
 * square whose color and place tell the class, on noise.
 */
export function cifarRecords(count: number, seed: number): Uint8Array {
  const word = wordStream(seed);
  const bytes = Uint8Array.from({ length: count * 3073 }, () => word() % 64);
  for (let record = 0; record < count; record++) {
    const label = record % 10;
    const start = record * 3073;
    bytes[start] = label;
    const [top, left] = [
      2 + 14 * (label % 2) + (word() % 4),
      2 + 14 * (Math.floor(label / 2) % 2) + (word() % 4),
    ];
    for (let y = top; y < top + 10; y++) {
      const at = start + 1 + 1024 * (label % 3) + y * 32 + left;
      bytes.fill(200 + (word() % 50), at, at + 10);
    }
  }
  return bytes;
}

/** The six files, with `train` records in each of five and `test` in the last. */
export function cifarFiles(counts: { train: number; test: number }): Record<string, Uint8Array> {
  const batches = [1, 2, 3, 4, 5].map((batch) => [
    `data_batch_${batch}.bin`,
    cifarRecords(counts.train, batch),
  ]);
  return { ...Object.fromEntries(batches), "test_batch.bin": cifarRecords(counts.test, 6) };
}

/** Writes such a data set into a new folder, and returns the folder. */
export function writeCifar(parent: string, counts: { train: number; test: number }): string {
  return writeFolder(join(parent, "cifar10"), cifarFiles(counts));
}

/** Writes CIFAR-100's two files, 200 images in each, with a coarse label before the fine one. */
export function writeCifar100(parent: string): string {
  const records = (seed: number) => {
    const word = wordStream(seed);
    return Uint8Array.from({ length: 200 * 3074 }, (_, i) => {
      if (i % 3074 === 0) return 19;
      return i % 3074 === 1 ? Math.floor(i / 3074) % 100 : word() % 256;
    });
  };
  return writeFolder(join(parent, "cifar100"), { "train.bin": records(1), "test.bin": records(2) });
}
