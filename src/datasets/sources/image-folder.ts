import { readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";
import * as z from "zod";
import { FileFormatError, MissingFileError, shownName } from "../../base/index.js";
import { defineSource } from "../dataset.js";
import { checkFit } from "../pixels/fit.js";
import type { SplitData, SplitName } from "../split.js";
import { byBytes, checkClassCount, classNamesFrom } from "./class-names.js";
import { decodedSplit, decodingOptions, encodedFiles, type ImageFile, shapeFor } from "./image-files.js";
import { isFolder, kindAt } from "./regular-file.js";
import { pathOf, sourceOf, sourceOptions } from "./source.js";

const mostFiles = 20_000_000;
const mostDepth = 32;

/** Endings of files that are decoded, and of images that are not. */
const decodedEndings = [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp"];
const otherEndings = [
  ...[".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".jxl"],
  ...[".ppm", ".pgm", ".pbm", ".pnm"],
];

const endsAs = (endings: readonly string[], name: string) => endings.includes(extname(name).toLowerCase());

/** Tells whether a file's name is that of an image which is decoded. */
export const isDecoded = (name: string) => endsAs(decodedEndings, name);

/** Names of splits, in any case; of several the first is read. */
export const splitFolders: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "testing", "val", "valid", "validation"],
};

const isHidden = (name: string) => name.startsWith(".") || name === "__MACOSX" || name === "Thumbs.db";

/** Names in a folder in the order of their bytes, without those that systems leave. */
const namesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => !isHidden(name))
    .sort(byBytes);

/** Folders in a folder, in the order of their names' bytes. */
export function foldersIn(folder: string): string[] {
  return namesIn(folder).filter((name) => isFolder(join(folder, name)));
}

/** Folders of splits or classes; a FileFormatError for a link to nothing, which may have been to one. */
function partsIn(folder: string): string[] {
  return namesIn(folder).filter((name) => kindOf(join(folder, name)) === "folder");
}

function kindOf(path: string): Exclude<ReturnType<typeof kindAt>, "nothing"> {
  const kind = kindAt(path);
  if (kind !== "nothing") return kind;
  // Bytes that are no UTF-8 are read as this character, and no path leads to the file.
  if (path.includes("\ufffd"))
    throw new FileFormatError(`${path}: its name is not in UTF-8, so it cannot be opened: rename it`);
  throw new FileFormatError(
    `${path}: a link to nothing, so images would be left out: mend it or take it out`,
  );
}

/** Image files in a folder and its folders; links are followed, to a depth. */
function imagesIn(folder: string, depth = 0): string[] {
  checkDepth(folder, depth);
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const kind = kindOf(path);
    if (kind === "folder") return imagesIn(path, depth + 1);
    if (isDecoded(name)) {
      if (kind === "file") return [path];
      throw new FileFormatError(`${path}: not a regular file`);
    }
    if (!endsAs(otherEndings, name)) return [];
    const ending = extname(name).toLowerCase();
    throw new FileFormatError(`${path}: ${ending} is not read: save it as PNG, JPEG or WebP, or take it out`);
  });
}

/** Tells whether a folder or one of its folders holds images, of any format. */
function holdsImages(folder: string, depth = 0): boolean {
  checkDepth(folder, depth);
  const names = namesIn(folder);
  if (names.some((name) => isDecoded(name) || endsAs(otherEndings, name))) return true;
  return names.some((name) => isFolder(join(folder, name)) && holdsImages(join(folder, name), depth + 1));
}

function checkDepth(folder: string, depth: number): void {
  if (depth > mostDepth) throw new FileFormatError(`${folder}: folders within folders without end`);
}

/**
 * Images of class folders: the first of each class, then the second of each, and so on, so that the first
 * images of the split are of all classes.
 */
function imagesOfClasses(folder: string, classNames: readonly string[]): ImageFile[] {
  const unknown = partsIn(folder).find((name) => !classNames.includes(name));
  if (unknown !== undefined) {
    throw new FileFormatError(
      `${join(folder, shownName(unknown))}: no class of this name; classes: ${shownClasses(classNames)}`,
    );
  }
  const ofClass = classNames.map((name) => {
    const own = join(folder, name);
    return isFolder(own) ? imagesIn(own) : [];
  });
  const most = ofClass.reduce((sum, paths) => Math.max(sum, paths.length), 0);
  const count = ofClass.reduce((sum, paths) => sum + paths.length, 0);
  if (count === 0) throw new FileFormatError(`${folder}: its folders hold no PNG, JPEG or WebP images`);
  if (count > mostFiles) throw new FileFormatError(`${folder}: ${count} images, more than ${mostFiles}`);
  return Array.from({ length: most }, (_, i) =>
    ofClass.flatMap((paths, label) => {
      const path = paths[i];
      return path === undefined ? [] : [{ path, id: relative(folder, path), label }];
    }),
  ).flat();
}

const shownClasses = (names: readonly string[]) =>
  `${names.slice(0, 8).map(shownName).join(", ")}${names.length > 8 ? ", ..." : ""}`;

/**
 * Folders of the splits of an image folder; where it has none, it is one itself. A FileFormatError for images
 * in other folders beside them: those may be of a class, and the splits' names classes as well.
 */
export function foldersOfSplits(path: string): Partial<Record<SplitName, string>> {
  const names = partsIn(path);
  const holdsFolders = (name: string) => partsIn(join(path, name)).length > 0;
  const found = (split: SplitName) =>
    splitFolders[split]
      .flatMap((wanted) => names.filter((name) => name.toLowerCase() === wanted))
      .find(holdsFolders);
  const [train, test] = [found("train"), found("test")];
  // A class may be called train as well: then it holds images, and no folders.
  if (train === undefined && test === undefined) return { test: path };
  const known = Object.values(splitFolders).flat();
  const other = names.find((name) => !known.includes(name.toLowerCase()) && holdsImages(join(path, name)));
  if (other !== undefined) {
    const splits = [train, test].filter((name) => name !== undefined).join(" and ");
    throw new FileFormatError(
      `${path}: folders of classes lie in ${splits}, and ${shownName(other)} beside holds images: expected ` +
        `folders of splits, or one folder for each class; move ${shownName(other)} elsewhere`,
    );
  }
  return {
    ...(train !== undefined ? { train: join(path, train) } : {}),
    ...(test !== undefined ? { test: join(path, test) } : {}),
  };
}

/**
 * Folder of images with one folder for each class, as torchvision's `ImageFolder` reads it, or with such
 * folders in `train` and `test` (or `val`), and no images in others beside those. Classes are numbered in the
 * order of their folders' names, or of a file `classes.txt`.
 */
export const imageFolder = defineSource("image-folder", {
  summary: "folder of images with one folder for each class, perhaps in train and test (or val)",
  options: z.strictObject({ ...sourceOptions, ...decodingOptions }),
  open({ path: given, classes, test: testShare, ...decoding }) {
    const name = "image-folder";
    const place = pathOf(given, name);
    checkFit(decoding, name);
    if (!isFolder(place)) throw new MissingFileError(`${name}: folder ${place} does not exist, or is none`);
    const folders = foldersOfSplits(place);
    const first = folders.train ?? folders.test!;
    const classNames = classNamesFrom(classes, [join(place, "classes.txt")], () => partsIn(first));
    checkClassCount(classNames.length, first);
    const entries = Object.entries(folders).map(([split, folder]) => {
      const files = imagesOfClasses(folder, classNames);
      return { split, labels: files.map(({ label }) => label), encoded: encodedFiles(files, folder) };
    });
    const imageShape = shapeFor(decoding, entries[0]!.encoded);
    const splits: Partial<Record<SplitName, SplitData>> = Object.fromEntries(
      entries.map(({ split, labels, encoded }) => [
        split,
        decodedSplit(encoded, labels, classNames.length, decoding, imageShape),
      ]),
    );
    return sourceOf({ name, place, imageShape, classNames, splits, testShare });
  },
});
