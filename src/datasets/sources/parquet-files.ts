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
  if (!isFolder(path) || paths.every((file) => nameOf(file) === undefined)) return [{ split: "test", paths }];
  if (unnamed !== undefined) {
    throw new FileFormatError(
      `${unnamed}: its name says no split, as others beside it do; expected ${names.join(", ")}: ` +
        "rename it, take it out, or give one file alone",
    );
  }
  return (["train", "test"] as const).flatMap((split) =>
    splitFolders[split]
      .map((name) => ({ split, paths: paths.filter((file) => nameOf(file) === name) }))
      .filter((one) => one.paths.length > 0),
  );
}
