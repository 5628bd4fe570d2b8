import { existsSync, readdirSync } from "node:fs";
import { basename, extname } from "node:path";
import { countText, MissingFileError, shownName } from "../../base/index.js";
import type { Dataset } from "../dataset.js";
import { idx, idxFilesIn } from "./idx.js";
import { foldersIn, imageFolder, isDecoded } from "./image-folder.js";
import { imageList } from "./image-list.js";
import { npz } from "./npz.js";
import { parquet } from "./parquet.js";
import { parquetFilesIn } from "./parquet-files.js";
import { isFolder } from "./regular-file.js";

/** Options of any source of images; each source takes those that it has. */
export interface ImagesFromOptions {
  /** File with the names of the classes in their order; `classes.txt` beside the images where left out. */
  readonly classes?: string;
  /** Share of an only split that is kept for testing, such as 0.2. */
  readonly test?: number;
  /** Pixels of the shorter side after resizing, as torchvision's `Resize(N)`. */
  readonly resize?: number;
  /** Width and height after resizing, as `Resize((N, N))`. */
  readonly size?: number;
  /** Width and height of the middle that is kept, as `CenterCrop(N)`. */
  readonly crop?: number;
  /** Filter of resizing; "bilinear" where left out. */
  readonly interpolation?: "bilinear" | "bicubic";
  /** "color" where left out. */
  readonly channels?: "color" | "gray";
  /** "accept" for damaged images of which the decoder makes something. */
  readonly damaged?: "refuse" | "accept";
  /** Order of an array's axes. */
  readonly layout?: "nhwc" | "nchw";
  /** Number that stands for white in arrays of floats; 1 where left out. */
  readonly white?: 1 | 255;
  /** Names of arrays, or the `.npy` file of the labels. */
  readonly images?: string;
  readonly labels?: string;
  /** Columns of a parquet file. */
  readonly image?: string;
  readonly label?: string;
  /** IDX files: beginning of names, label of the first class, exchange of rows and columns. */
  readonly prefix?: string;
  readonly firstLabel?: number;
  readonly transpose?: boolean;
}

const accepted =
  "a folder with one folder for each class, IDX files, .parquet, .npz, .npy, or a .csv list of path,label";

/**
 * Images of a user's own, from a file or folder, whose kind is told by what is there: a folder with one
 * folder for each class (perhaps in `train` and `test`), a folder of IDX or parquet files, `.npz`, `.npy`,
 * `.csv` or `.parquet`. They are decoded when they are used, and kept in the user's cache folder.
 *
 * @throws Error or FileFormatError that says what was found
 * @example
 * const photos = imagesFrom("photos", { resize: 256, crop: 224 });
 * const report = await audit(model, photos.test, { epsilon: 4 / 255 });
 */
export function imagesFrom(path: string, options: ImagesFromOptions = {}): Dataset {
  return sourceAt(path)({ ...options, path });
}

/** Source of what a path is. */
function sourceAt(path: string): (options: object) => Dataset {
  if (!existsSync(path)) throw new MissingFileError(`${path} does not exist: give ${accepted}`);
  if (isFolder(path)) return sourceInFolder(path);
  const ending = extname(path).toLowerCase();
  if (ending === ".npz" || ending === ".npy") return npz;
  if (ending === ".csv" || ending === ".txt") return imageList;
  if (ending === ".parquet") return parquet;
  const remedy = /\.(zip|tar|t?gz)$/.test(ending) ? ": unpack it, and give its folder" : "";
  throw new Error(
    `${path}: images are not read from ${ending || shownName(basename(path))}${remedy}; give ${accepted}`,
  );
}

function sourceInFolder(path: string): (options: object) => Dataset {
  if (idxFilesIn(path).size > 0) return idx;
  if (parquetFilesIn(path).length > 0) return parquet;
  if (foldersIn(path).length > 0) return imageFolder;
  const names = readdirSync(path);
  const images = names.filter(isDecoded).length;
  const lists = names.filter((name) => /\.(csv|npz|npy)$/i.test(name)).map(shownName);
  const found =
    lists.length > 0
      ? `it has ${lists.slice(0, 5).join(", ")}: give that file`
      : images > 0
        ? `it has ${countText(images, "image")} and no folders: nothing says their classes; ` +
          "a list path,label can"
        : names.length === 0
          ? "it is empty"
          : `it has ${names.slice(0, 5).map(shownName).join(", ")}`;
  throw new Error(`folder ${path}: ${found}; give ${accepted}`);
}
