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

/** A pickle of Python 2 with a dictionary of labels and an array of images, as CIFAR's files for Python are. */
export function cifarPickle(key: string, labels: readonly number[], images: Uint8Array): Buffer {
  const text = (value: string) => Buffer.from(`U${String.fromCharCode(value.length)}${value}`, "latin1");
  const word = (value: number) => {
    const bytes = Buffer.alloc(5, "J");
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const raw = Buffer.alloc(5, "T");
  raw.writeUInt32LE(images.length, 1);
  const array = [
    Buffer.from("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"),
    Buffer.from("K\0\x85", "latin1"),
    text("b"),
    Buffer.from("\x87R(K\x01", "latin1"),
    word(labels.length),
    word(images.length / labels.length),
    Buffer.from("\x86cnumpy\ndtype\n", "latin1"),
    text("u1"),
    Buffer.from("K\0K\x01\x87R(K\x03", "latin1"),
    text("|"),
    Buffer.from("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89", "latin1"),
    raw,
    images,
    Buffer.from("tb"),
  ];
  const list = [Buffer.from("]("), ...labels.map((label) => Buffer.from([0x4b, label])), Buffer.from("e")];
  const names = [text("batch_label"), text("testing batch 1 of 1"), text("filenames"), Buffer.from("](")];
  return Buffer.concat([
    Buffer.from("\x80\x02}(", "latin1"),
    ...names,
    ...labels.map((_, i) => text(`s_${i}.png`)),
    Buffer.from("e"),
    text(key),
    ...list,
    text("data"),
    ...array,
    Buffer.from("u."),
  ]);
}

/** Labels and images of records, of which each begins with so many bytes of label. */
export function partsOfRecords(records: Uint8Array, labelBytes: number) {
  const size = 3072 + labelBytes;
  const count = records.length / size;
  const at = (i: number) => i * size + labelBytes;
  return {
    labels: Array.from({ length: count }, (_, i) => records[at(i) - 1]!),
    images: Buffer.concat(Array.from({ length: count }, (_, i) => records.subarray(at(i), at(i) + 3072))),
  };
}

/** Writes the same data set as `writeCifar` in the form for Python. */
export function writePickledCifar(parent: string, counts: { train: number; test: number }): string {
  const files = Object.entries(cifarFiles(counts)).map(([name, bytes]) => {
    const { labels, images } = partsOfRecords(bytes, 1);
    return [name.replace(".bin", ""), cifarPickle("labels", labels, images)];
  });
  return writeFolder(join(parent, "cifar-10-batches-py"), Object.fromEntries(files));
}
