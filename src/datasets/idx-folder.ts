import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { countText, FileFormatError, MissingFileError, shownName } from "../base/index.js";
import { type IdxArray, readIdx } from "../files/index.js";
import { isFile } from "./sources/regular-file.js";
import type { SplitData, SplitName } from "./split.js";

type Part = "images" | "labels";

/** SHA-256 of the four uncompressed files. */
export type IdxChecksums = Readonly<Record<SplitName, Readonly<Record<Part, string>>>>;

/** Form of a folder of four IDX files, laid out as MNIST's. */
export type IdxFolderFormat = {
  readonly name: string;
  /** Torchvision's folder of the data set, which has the files in its folder `raw`. */
  readonly libraryFolder: string;
  readonly imageShape: readonly [1, number, number];
  readonly classes: number;
  readonly checksums: IdxChecksums;
  /** Advice on getting the data, added to the error for a folder or file that is missing. */
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

/**
 * Paths at which a file may lie in a folder: some unpackers make a folder of a file's name and put the file
 * into that.
 */
function candidatePaths(
  folder: string,
  names: readonly string[],
  { libraryFolder }: IdxFolderFormat,
): string[] {
  const nested = names.flatMap((outer) => names.map((name) => join(outer, name)));
  const places = [folder, join(folder, "raw"), join(folder, libraryFolder, "raw")];
  return places.flatMap((place) => [...names, ...nested].map((name) => join(place, name)));
}

/** Says, as the end of an error's sentence, what a folder has in the wanted file's place. */
function hintAt(folder: string, names: readonly string[], split: SplitName, part: Part): string {
  const taken = names.find((name) => existsSync(join(folder, name)));
  if (taken !== undefined) return ` (${taken} is there, but no file)`;
  const alike = new RegExp(
    `${split === "train" ? "train" : "t(?:est|10k)"}-${part}[-.]idx${ranks[part]}-ubyte`,
  );
  const other = readdirSync(folder).find((name) => alike.test(name));
  return other === undefined ? "" : ` (rename ${shownName(other)}, or link to it by one of these names)`;
}

function findFile(folder: string, split: SplitName, part: Part, format: IdxFolderFormat): string {
  if (!existsSync(folder))
    throw new MissingFileError(`${format.name}: folder ${folder} does not exist; ${format.remedy}`);
  if (!statSync(folder).isDirectory())
    throw new Error(`${format.name}: ${folder} is not a folder; ${format.remedy}`);
  const names = candidateNames(split, part);
  const found = candidatePaths(folder, names, format).find(isFile);
  if (found !== undefined) return found;
  const hint = hintAt(folder, names, split, part);
  throw new Error(
    `${format.name}: folder ${folder} has none of ${names.join(", ")}${hint}; ${format.remedy}`,
  );
}

/** Throws, and says how to get the data, unless the four files exist. */
export function checkIdxFolder(folder: string, format: IdxFolderFormat): void {
  for (const split of ["train", "test"] as const) {
    for (const part of ["images", "labels"] as const) findFile(folder, split, part, format);
  }
}

function checkImages(
  images: IdxArray,
  file: string,
  { imageShape: [, height, width] }: IdxFolderFormat,
): void {
  const [count, rows, columns] = images.shape;
  if (count === 0) throw new FileFormatError(`${file}: holds no images`);
  if (rows !== height || columns !== width) {
    throw new FileFormatError(
      `${file}: holds images of ${rows} x ${columns} pixels, expected ${height} x ${width}`,
    );
  }
}

/**
 * Parts of EMNIST (Cohen et al. 2017) by their labels: the only files of this form that have others than 0 to
 * 9.
 */
const emnistParts = [
  { part: "letters", least: 1, most: 26 },
  { part: "balanced and bymerge", least: 0, most: 46 },
  { part: "byclass", least: 0, most: 61 },
];

function checkLabels(labels: IdxArray, file: string, { name, classes }: IdxFolderFormat): void {
  const index = labels.data.findIndex((label) => label >= classes);
  if (index < 0) return;
  const [least, most] = labels.data.reduce(
    ([low, high], label) => [Math.min(low!, label), Math.max(high!, label)],
    [255, 0],
  );
  const emnist = emnistParts.find((part) => least! >= part.least && most === part.most);
  const remedy =
    emnist === undefined
      ? ""
      : `; labels of ${emnist.least} to ${emnist.most} are those of EMNIST's ${emnist.part}, and ${name} ` +
        "has " +
        `${classes} classes: give the files of EMNIST's digits or mnist by these names`;
  throw new FileFormatError(
    `${file}: label ${labels.data[index]} at index ${index}, expected 0 to ${classes - 1}${remedy}`,
  );
}

function checkChecksum({ bytes }: IdxArray, file: string, expected: string, name: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === expected) return;
  throw new FileFormatError(
    `${file}: not the official ${name} file: SHA-256 ${found}, expected ${expected}; ` +
      `to use it all the same, give ${name}(checksums=false)`,
  );
}

/**
 * One split of a folder of IDX files: images of one channel, shape (N, 1, H, W), and their labels.
 *
 * Throws an Error for a missing file and a FileFormatError, which names the file, for one that is damaged,
 * has images of another size, labels outside the classes, another number of labels than images, or (with
 * `checksums`) other content.
 */
export function readIdxSplit(
  folder: string,
  split: SplitName,
  checksums: boolean,
  format: IdxFolderFormat,
): SplitData {
  const imageFile = findFile(folder, split, "images", format);
  const labelFile = findFile(folder, split, "labels", format);
  const images = readIdx(imageFile, ranks.images);
  const labels = readIdx(labelFile, ranks.labels);
  checkImages(images, imageFile, format);
  checkLabels(labels, labelFile, format);
  const count = images.shape[0]!;
  if (labels.data.length !== count) {
    throw new FileFormatError(
      `${labelFile}: holds ${countText(labels.data.length, "label")}, but ${imageFile} ` +
        `holds ${countText(count, "image")}`,
    );
  }
  if (checksums) {
    checkChecksum(images, imageFile, format.checksums[split].images, format.name);
    checkChecksum(labels, labelFile, format.checksums[split].labels, format.name);
  }
  return { images: images.data, labels: labels.data, count };
}
