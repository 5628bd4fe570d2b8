import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { countText, FileFormatError, MissingFileError, shownName } from "../../base/index.js";
import { type IdxArray, readIdx } from "../../files/index.js";
import type { ImageShape } from "../../models/index.js";
import { defineSource } from "../dataset.js";
import type { MemoryData, SplitName } from "../split.js";
import { classNamesFrom } from "./class-names.js";
import { foldersIn } from "./image-folder.js";
import { isFile, isFolder } from "./regular-file.js";
import { labelArray, pathOf, sourceOf, sourceOptions } from "./source.js";

/** Name of a file as in `emnist-letters-train-images-idx3-ubyte.gz` or `t10k-labels.idx1-ubyte`. */
const fileName = /^(.*?)[-_.]?(train|t10k|test)[-_.](images|labels)[-_.]idx[13]-ubyte(\.gz)?$/i;

type Part = "images" | "labels";
type Files = Partial<Record<SplitName, Partial<Record<Part, string>>>>;

/** Files of a beginning, and what lies there in the place of two of them, in words. */
interface Found {
  readonly files: Files;
  twice?: string;
}

/** IDX files of a folder by the beginning of their names, in it or in its folders, to a depth of three. */
export function idxFilesIn(folder: string, found = new Map<string, Found>(), depth = 0): Map<string, Found> {
  // Unpacked and packed, or with a dot and a dash in its name, a file is still the same.
  const here = new Set<string>();
  for (const name of readdirSync(folder).sort()) {
    const match = fileName.exec(name);
    if (match === null) continue;
    // Some unpackers make a folder of a file's name and put the file into that.
    const inside = join(folder, name, name.replace(/\.gz$/i, ""));
    const path = [join(folder, name), inside, join(folder, name, name)].find(isFile);
    if (path === undefined) continue;
    const [, prefix, set, part] = match;
    const one = found.get(prefix!) ?? { files: {} };
    found.set(prefix!, one);
    const split = set!.toLowerCase() === "train" ? "train" : "test";
    one.files[split] ??= {};
    const parts = one.files[split];
    const known = parts[part!.toLowerCase() as Part];
    const role = [prefix, set, part].join("\n").toLowerCase();
    if (known === undefined) here.add(role);
    else if (known !== path && !here.has(role)) one.twice ??= `${split} ${part} in ${known} and ${path}`;
    parts[part!.toLowerCase() as Part] ??= path;
  }
  if (depth < 3) for (const name of foldersIn(folder)) idxFilesIn(join(folder, name), found, depth + 1);
  return found;
}

/** Files of one data set: of several in a folder that which `prefix` names. */
function filesOf(folder: string, prefix: string | undefined): Files {
  const found = idxFilesIn(folder);
  const names = [...found.keys()].map((name) => (name === "" ? '""' : shownName(name))).join(", ");
  if (found.size === 0) {
    throw new Error(
      `idx: folder ${folder} has no files such as train-images-idx3-ubyte and train-labels-idx1-ubyte`,
    );
  }
  if (prefix !== undefined) {
    const one = found.get(prefix);
    if (one === undefined) throw new Error(`idx: folder ${folder} has ${names}, and no prefix ${prefix}`);
    return onlyFiles(one, folder);
  }
  if (found.size > 1)
    throw new Error(`idx: folder ${folder} has several data sets: give prefix=NAME, of ${names}`);
  return onlyFiles([...found.values()][0]!, folder);
}

function onlyFiles({ files, twice }: Found, folder: string): Files {
  if (twice === undefined) return files;
  throw new FileFormatError(
    `${folder}: it has several data sets, such as ${twice}: give the folder that has one of them alone`,
  );
}

/** Rows and columns of images exchanged, (N, H, W) to (N, W, H). */
function transposed({ shape: [count, height, width], data }: IdxArray): Uint8Array {
  const result = new Uint8Array(data.length);
  const area = height! * width!;
  for (let image = 0; image < count!; image++)
    for (let y = 0; y < height!; y++)
      for (let x = 0; x < width!; x++)
        result[image * area + x * height! + y] = data[image * area + y * width! + x]!;
  return result;
}

interface ReadSplit {
  readonly images: IdxArray;
  readonly labels: IdxArray;
}

function readSplit(
  files: Partial<Record<Part, string>>,
  folder: string,
  split: string,
  before: number,
): ReadSplit {
  for (const part of ["images", "labels"] as const)
    if (files[part] === undefined) throw new Error(`idx: folder ${folder} has no file of ${split} ${part}`);
  const images = readIdx(files.images!, 3, mostBytes - before);
  const labels = readIdx(files.labels!, 1, mostBytes);
  const [count, height, width] = images.shape;
  if (count === 0 || height === 0 || width === 0)
    throw new FileFormatError(`${files.images}: holds no images: shape [${images.shape.join(", ")}]`);
  if (Math.max(height!, width!) > 4096)
    throw new FileFormatError(
      `${files.images}: images of ${height} x ${width} pixels, more than 4096 a side`,
    );
  if (labels.data.length === count) return { images, labels };
  throw new FileFormatError(
    `${files.labels}: holds ${countText(labels.data.length, "label")}, but ${files.images} holds ` +
      countText(count!, "image"),
  );
}

/** Most bytes of all files together; EMNIST's largest has 547 million. */
const mostBytes = 2 ** 30;

/** Class numbers of labels that count from `firstLabel` on; an Error says what to do with labels from 1. */
function classesOf(splits: readonly ReadSplit[], firstLabel: number, folder: string): number {
  let [least, most] = [255, 0];
  for (const { labels } of splits) {
    for (const label of labels.data) {
      if (label < least) least = label;
      if (label > most) most = label;
    }
  }
  if (least < firstLabel) {
    throw new FileFormatError(`${folder}: label ${least} is below firstLabel=${firstLabel}`);
  }
  if (firstLabel === 0 && least === 1) {
    const letters = most === 26 ? ", as those of EMNIST's letters," : "";
    throw new FileFormatError(
      `${folder}: its labels${letters} are 1 to ${most}: give firstLabel=1: class 0 is then label 1, and ` +
        "the classes are as many as the labels (EMNIST's images also need transpose=true)",
    );
  }
  if (most === firstLabel) throw new FileFormatError(`${folder}: every label is ${most}: one class is none`);
  return most - firstLabel + 1;
}

/**
 * IDX files of gray images and labels, as MNIST, KMNIST and EMNIST have them: gzipped or not, in the folder
 * or in folders of it, whatever their names begin with. EMNIST's images lie on their side: `transpose=true`.
 */
export const idx = defineSource("idx", {
  summary: "folder of IDX files as MNIST's: KMNIST, EMNIST and the like, gzipped or not",
  options: z.strictObject({
    ...sourceOptions,
    prefix: z
      .string()
      .optional()
      .describe("beginning of the files' names, where a folder has several data sets"),
    firstLabel: z
      .int()
      .min(0)
      .max(255)
      .default(0)
      .describe("label of the first class; 1 for EMNIST's letters"),
    transpose: z.boolean().default(false).describe("exchange rows and columns, as EMNIST's images need it"),
  }),
  open({ path: given, classes, test: testShare, prefix, firstLabel, transpose }) {
    const name = "idx";
    const place = pathOf(given, name);
    if (!isFolder(place)) throw new MissingFileError(`${name}: folder ${place} does not exist, or is none`);
    const files = filesOf(place, prefix);
    let bytes = 0;
    const read = (Object.entries(files) as [SplitName, Partial<Record<Part, string>>][]).map(
      ([split, parts]) => {
        const one = readSplit(parts, place, split, bytes);
        bytes += one.images.bytes.length;
        return [split, one] as const;
      },
    );
    const count = classesOf(
      read.map(([, split]) => split),
      firstLabel,
      place,
    );
    const classNames = classNamesFrom(classes, [join(place, "classes.txt")], () =>
      Array.from({ length: count }, (_, i) => String(i + firstLabel)),
    );
    if (classNames.length < count)
      throw new FileFormatError(`${place}: ${count} classes have labels, and ${classNames.length} are named`);
    const shapes = read.map(([, { images }]): ImageShape => {
      const [, height, width] = images.shape;
      return transpose ? [1, width!, height!] : [1, height!, width!];
    });
    if (shapes.some((shape) => shape.join() !== shapes[0]!.join()))
      throw new FileFormatError(`${place}: images to train on and to test on have other sides`);
    const splits: Partial<Record<SplitName, MemoryData>> = {};
    for (const [split, { images, labels }] of read) {
      const numbers = Uint8Array.from(labels.data, (label) => label - firstLabel);
      splits[split] = {
        images: transpose ? transposed(images) : images.data,
        labels: labelArray(numbers, classNames.length),
        count: numbers.length,
      };
    }
    return sourceOf({ name, place, imageShape: shapes[0]!, classNames, splits, testShare });
  },
});
