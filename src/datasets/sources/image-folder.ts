import { readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";
import * as z from "zod";
import { FileFormatError, MissingFileError, shownName } from "../../base/index.js";
import { defineSource } from "../dataset.js";
import { checkFit } from "../pixels/fit.js";
import type { SplitData, SplitName } from "../split.js";
import { byBytes, checkClassCount, classNamesFrom } from "./class-names.js";
import { decodedSplit, decodingOptions, encodedFiles, type ImageFile, shapeFor } from "./image-files.js";
import { isFile, isFolder } from "./regular-file.js";
import { pathOf, sourceOf, sourceOptions } from "./source.js";

const mostFiles = 20_000_000;
const mostDepth = 32;

/** Endings of files that are decoded, and of images that are not. */
const decodedEndings = [".png", ".jpg", ".jpeg", ".webp"];
const otherEndings = [".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".ppm", ".pgm", ".jp2", ".jxl"];

/** Names of folders of splits, the first that exists being read. */
export const splitFolders: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "testing", "val", "valid", "validation"],
};

const isHidden = (name: string) => name.startsWith(".") || name === "__MACOSX" || name === "Thumbs.db";

/** Folders in a folder, in the order of their names' bytes. */
export function foldersIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !isHidden(name) && isFolder(join(folder, name)))
    .sort(byBytes);
}

/** Image files in a folder and its folders; links to folders are followed, to a depth. */
function imagesIn(folder: string, depth = 0): string[] {
  if (depth > mostDepth) throw new FileFormatError(`${folder}: folders within folders without end`);
  return readdirSync(folder)
    .filter((name) => !isHidden(name))
    .sort(byBytes)
    .flatMap((name) => {
      const path = join(folder, name);
      const ending = extname(name).toLowerCase();
      if (decodedEndings.includes(ending) && isFile(path)) return [path];
      if (isFolder(path)) return imagesIn(path, depth + 1);
      if (!otherEndings.includes(ending)) return [];
      throw new FileFormatError(
        `${path}: ${ending} is not read: save it as PNG, JPEG or WebP, or take it out`,
      );
    });
}

/**
 * Images of class folders: the first of each class, then the second of each, and so on, so that the first
 * images of the split are of all classes.
 */
function imagesOfClasses(folder: string, classNames: readonly string[]): ImageFile[] {
  const unknown = foldersIn(folder).find((name) => !classNames.includes(name));
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

/** Folders of the splits of an image folder; where it has none, it is one itself. */
export function foldersOfSplits(path: string): Partial<Record<SplitName, string>> {
  const names = foldersIn(path);
  const found = (split: SplitName) => splitFolders[split].find((name) => names.includes(name));
  const [train, test] = [found("train"), found("test")];
  // A class may be called train as well: then there are others beside it.
  const known = Object.values(splitFolders).flat();
  const others = names.filter((name) => !known.includes(name) && foldersIn(join(path, name)).length === 0);
  const isSplit = (name: string | undefined) => name !== undefined && foldersIn(join(path, name)).length > 0;
  if (others.length > 0 || !(isSplit(train) || isSplit(test))) return { test: path };
  return {
    ...(train !== undefined && isSplit(train) ? { train: join(path, train) } : {}),
    ...(test !== undefined && isSplit(test) ? { test: join(path, test) } : {}),
  };
}

/**
 * Folder of images with one folder for each class, as torchvision's `ImageFolder` reads it, or with such
 * folders in `train` and `test` (or `val`). Classes are numbered in the order of their folders' names, or of
 * a file `classes.txt`.
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
    const classNames = classNamesFrom(classes, [join(place, "classes.txt")], () => foldersIn(first));
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
