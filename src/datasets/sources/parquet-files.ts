import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { FileFormatError } from "../../base/index.js";
import type { SplitName } from "../split.js";
import { byBytes } from "./class-names.js";
import { splitFolders } from "./image-folder.js";
import { isFolder } from "./regular-file.js";

/** Parquet files of a path: itself, or those in a folder or its folder `data`, in order of names. */
export function parquetFilesIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  const places = [path, join(path, "data")].filter(isFolder);
  return (
    places
      .map((place) =>
        readdirSync(place)
          .filter((name) => name.endsWith(".parquet"))
          .sort(byBytes),
      )
      .map((names, i) => names.map((name) => join(places[i]!, name)))
      .find((files) => files.length > 0) ?? []
  );
}

/** Place of a file among those of its split, as in `train-00000-of-00002.parquet`. */
const partName = /-(\d{5})-of-(\d{5})\b/;

/**
 * Refuses files that are not all parts of their split, or of two forms of it: without a part there are fewer
 * images than the data set has, and nothing else tells.
 */
function checkParts(paths: readonly string[]): void {
  const parts = paths.flatMap((path) => {
    const [, index, count] = partName.exec(basename(path)) ?? [];
    return index === undefined ? [] : [{ path, index: Number(index), count: Number(count) }];
  });
  const [first] = parts;
  if (first === undefined) return;
  const found = new Map<number, string>();
  for (const { path, index, count } of parts) {
    const other = count !== first.count ? first.path : found.get(index);
    if (other !== undefined)
      throw new FileFormatError(
        `${path}: of another form of the data set than ${basename(other)}: remove one`,
      );
    found.set(index, path);
  }
  const missing = Array.from({ length: first.count }, (_, i) => i).filter((index) => !found.has(index));
  if (missing.length === 0) return;
  const digits = (number: number) => String(number).padStart(5, "0");
  const name = `*-${digits(missing[0]!)}-of-${digits(first.count)}*.parquet`;
  const others = missing.length > 1 ? `, nor ${missing.length - 1} others` : "";
  throw new FileFormatError(
    `${first.path}: ${name} is not beside it${others}: download what is missing, or rename what is there, ` +
      "such as train-a.parquet, where that is meant to be all",
  );
}

/** Files that may be a split. */
export interface SplitFiles {
  readonly split: SplitName;
  readonly paths: readonly string[];
}

/**
 * Files of a path by the splits that their names say, as in `train-00000-of-00002.parquet`: of a split's
 * names each alone, the one to read first. Files are all to test on where none says a split, as is a file
 * that is the path itself. A FileFormatError for one that says none beside others.
 */
export function splitFilesIn(path: string): SplitFiles[] {
  const paths = parquetFilesIn(path);
  if (paths.length === 0) return [];
  const names = Object.values(splitFolders).flat();
  const nameOf = (file: string) =>
    basename(file)
      .toLowerCase()
      .split(/[-_.]/)
      .find((word) => names.includes(word));
  const unnamed = paths.find((file) => nameOf(file) === undefined);
  if (!isFolder(path)) return [{ split: "test", paths }];
  if (paths.every((file) => nameOf(file) === undefined)) {
    checkParts(paths);
    return [{ split: "test", paths }];
  }
  if (unnamed !== undefined) {
    throw new FileFormatError(
      `${unnamed}: its name says no split, as others beside it do; expected ${names.join(", ")}: ` +
        "rename it, take it out, or give one file alone",
    );
  }
  const found = (["train", "test"] as const).flatMap((split) =>
    splitFolders[split]
      .map((name) => ({ split, paths: paths.filter((file) => nameOf(file) === name) }))
      .filter((one) => one.paths.length > 0),
  );
  for (const one of found) checkParts(one.paths);
  return found;
}
