import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { FileFormatError } from "../base/index.js";
import { type IdxArray, readIdx } from "../files/index.js";
import type { Split, SplitName } from "./dataset.js";

type Part = "images" | "labels";

/** SHA-256 of the four uncompressed files. */
export type IdxChecksums = Readonly<Record<SplitName, Readonly<Record<Part, string>>>>;

/** What a folder of four IDX files, laid out as MNIST's, must hold. */
export type IdxFolderFormat = {
  readonly name: string;
  readonly imageShape: readonly [1, number, number];
  readonly classes: number;
  readonly checksums: IdxChecksums;
  /** How to get the data, added to the error for a folder or file that is missing. */
  readonly remedy: string;
};

/** The options of every data set that is read from a folder of IDX files. */
export const idxFolderOptions = z.strictObject({
  folder: z.string().min(1).optional().describe("folder with the four IDX files, gzipped or not"),
  checksums: z.boolean().default(true).describe("refuse files other than the official ones"),
});

const ranks: Readonly<Record<Part, number>> = { images: 3, labels: 1 };

/** The names under which the file is found in the wild, the first that exists being read. */
function candidateNames(split: SplitName, part: Part): string[] {
  const stem = `${split === "train" ? "train" : "t10k"}-${part}`;
  const type = `idx${ranks[part]}-ubyte`;
  return [`${stem}-${type}`, `${stem}.${type}`].flatMap((name) => [name, `${name}.gz`]);
}

function findFile(folder: string, split: SplitName, part: Part, format: IdxFolderFormat): string {
  if (!existsSync(folder)) throw new Error(`${format.name}: folder ${folder} does not exist; ${format.remedy}`);
  if (!statSync(folder).isDirectory()) throw new Error(`${format.name}: ${folder} is not a folder; ${format.remedy}`);
  const names = candidateNames(split, part);
  const found = names.find((name) => existsSync(join(folder, name)));
  if (found !== undefined) return join(folder, found);
  throw new Error(`${format.name}: folder ${folder} has none of ${names.join(", ")}; ${format.remedy}`);
}

/** Throws, and says how to get the data, unless the four files exist. */
export function checkIdxFolder(folder: string, format: IdxFolderFormat): void {
  for (const split of ["train", "test"] as const) {
    for (const part of ["images", "labels"] as const) findFile(folder, split, part, format);
  }
}

function checkImages(images: IdxArray, file: string, { imageShape: [, height, width] }: IdxFolderFormat): void {
  const [count, rows, columns] = images.shape;
  if (count === 0) throw new FileFormatError(`${file}: holds no images`);
  if (rows !== height || columns !== width) {
    throw new FileFormatError(`${file}: holds images of ${rows} x ${columns} pixels, expected ${height} x ${width}`);
  }
}

function checkLabels(labels: IdxArray, file: string, classes: number): void {
  const index = labels.data.findIndex((label) => label >= classes);
  if (index < 0) return;
  throw new FileFormatError(`${file}: label ${labels.data[index]} at index ${index}, expected 0 to ${classes - 1}`);
}

function checkChecksum({ bytes }: IdxArray, file: string, expected: string, name: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === expected) return;
  throw new FileFormatError(
    `${file}: not the official ${name} file: SHA-256 ${found}, expected ${expected}; to use it all the same, set checksums to false (--no-checksums)`,
  );
}

/**
 * One split of a folder of IDX files: images of one channel, shape (N, 1, H, W), and their labels.
 *
 * Throws an Error for a missing file and a FileFormatError, which names the file, for one that is damaged, has images of
 * another size, labels outside the classes, another number of labels than images, or (with `checksums`) other content.
 */
export function readIdxSplit(folder: string, split: SplitName, checksums: boolean, format: IdxFolderFormat): Split {
  const imageFile = findFile(folder, split, "images", format);
  const labelFile = findFile(folder, split, "labels", format);
  const images = readIdx(imageFile, ranks.images);
  const labels = readIdx(labelFile, ranks.labels);
  checkImages(images, imageFile, format);
  checkLabels(labels, labelFile, format.classes);
  const count = images.shape[0]!;
  if (labels.data.length !== count) {
    throw new FileFormatError(
      `${labelFile}: holds ${labels.data.length} labels, but ${imageFile} holds ${count} images`,
    );
  }
  if (checksums) {
    checkChecksum(images, imageFile, format.checksums[split].images, format.name);
    checkChecksum(labels, labelFile, format.checksums[split].labels, format.name);
  }
  return { images: images.data, labels: labels.data, count };
}
