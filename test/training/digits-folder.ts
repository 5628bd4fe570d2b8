import { join } from "node:path";
import { wordStream } from "../../src/base/index.js";
import { mnist } from "../../src/datasets/index.js";
import { idxBytes, writeFolder } from "../datasets/idx-files.js";

/**
 * Images of ten classes that a network can learn in seconds, where no real ones are installed: a bright
 * square of 10 x 10 whose place tells the class, moved by up to 2 pixels, on noise of up to a quarter of its
 * brightness.
 */
function squares(count: number, seed: number): { images: Uint8Array; labels: Uint8Array } {
  const word = wordStream(seed);
  const images = Uint8Array.from({ length: count * 784 }, () => word() % 64);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % 10);
  for (let image = 0; image < count; image++) {
    const label = labels[image]!;
    const top = 1 + 8 * Math.floor(label / 4) - (label >= 8 ? 1 : 0) + (word() % 3);
    const left = 6 * (label % 4) - (label % 4 === 3 ? 2 : 0) + (word() % 3);
    for (let y = top; y < top + 10; y++) {
      images.fill(255 - (word() % 32), image * 784 + y * 28 + left, image * 784 + y * 28 + left + 10);
    }
  }
  return { images, labels };
}

/**
 * Writes the four files of such a data set, laid out as MNIST's, into a new folder, and returns the folder.
 */
export function writeDigits(parent: string, counts: { train: number; test: number }): string {
  const train = squares(counts.train, 1);
  const test = squares(counts.test, 2);
  return writeFolder(join(parent, "data"), {
    "train-images-idx3-ubyte": idxBytes([counts.train, 28, 28], train.images),
    "train-labels-idx1-ubyte": idxBytes([counts.train], train.labels),
    "t10k-images-idx3-ubyte": idxBytes([counts.test, 28, 28], test.images),
    "t10k-labels-idx1-ubyte": idxBytes([counts.test], test.labels),
  });
}

/** The same as a data set. */
export function digits(parent: string, counts: { train: number; test: number }) {
  return mnist({ folder: writeDigits(parent, counts), checksums: false });
}
