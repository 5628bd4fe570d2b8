import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { FileFormatError, isObject, shownName } from "../../base/index.js";
import { fileBytes, openParquet, type ParquetFile, type ParquetRowGroup } from "../../files/index.js";
import { defineSource } from "../dataset.js";
import type { EncodedImages } from "../pixels/decoded-images.js";
import { checkFit } from "../pixels/fit.js";
import type { SplitData, SplitName } from "../split.js";
import {
  checkClassCount,
  classNamesFrom,
  classNumberIn,
  firstTwice,
  mostClasses,
  namesByNumber,
  namesOfTexts,
} from "./class-names.js";
import { decodedSplit, decodingOptions, shapeFor } from "./image-files.js";
import { type SplitFiles, splitFilesIn } from "./parquet-files.js";
import { pathOf, sourceOf, sourceOptions } from "./source.js";

const imageColumns = ["image.bytes", "img.bytes", "image", "img", "image_bytes", "bytes"];
const labelColumns = ["label", "labels", "fine_label", "class", "target", "category"];

/** Row group with the place of its first row in the split. */
interface Group {
  readonly path: string;
  readonly first: number;
  readonly group: ParquetRowGroup;
}

/** Rows of the files of a split. */
function groupsOf(files: readonly { readonly path: string; readonly file: ParquetFile }[]): Group[] {
  let first = 0;
  return files.flatMap(({ path, file }) =>
    file.rowGroups.map((group) => {
      const one = { path, first, group };
      first += group.rows;
      return one;
    }),
  );
}

/** Split of files that were opened. */
interface OpenedSplit {
  readonly split: SplitName;
  readonly files: readonly { readonly path: string; readonly file: ParquetFile }[];
  readonly groups: readonly Group[];
}

const openSplit = ({ split, paths }: SplitFiles): OpenedSplit => {
  const files = paths.map((path) => ({ path, file: openParquet(fileBytes(path)) }));
  return { split, files, groups: groupsOf(files) };
};

/**
 * Splits to read: of each the first that has labels. Those of a competition's test images are left out or
 * -1, as ImageNet's are.
 */
function splitsWithLabels(found: readonly SplitFiles[], names: readonly string[], place: string) {
  const opened: OpenedSplit[] = [];
  const taken: OpenedSplit[] = [];
  for (const each of found) {
    if (taken.some(({ split }) => split === each.split)) continue;
    const one = openSplit(each);
    if (one.groups.every(({ group }) => group.rows === 0)) continue;
    opened.push(one);
    const column = names.find((name) => one.files[0]!.file.columns.includes(name));
    const isKnown = (value: unknown) => value != null && Number(value) !== -1;
    if (
      column !== undefined &&
      one.groups.some(({ group }) => Array.from(group.column(column)).some(isKnown))
    )
      taken.push(one);
  }
  if (opened.length === 0) throw new FileFormatError(`${place}: it has no rows`);
  // Where none has labels, the first says what is wrong with them.
  return taken.length > 0 ? taken : opened.slice(0, 1);
}

function columnOf(path: string, { columns }: ParquetFile, names: readonly string[], option: string): string {
  const found = names.find((name) => columns.includes(name));
  if (found !== undefined) return found;
  const has = columns.slice(0, 20).map(shownName).join(", ");
  throw new FileFormatError(
    `${path}: columns ${has}; give ${option}=COLUMN, as in parquet(path=PATH, ${option}=x)`,
  );
}

/** Names of classes in what Hugging Face's `datasets` writes beside the schema. */
function namesWritten({ metadata }: ParquetFile, column: string): string[] | undefined {
  const text = metadata.get("huggingface");
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const key of ["info", "features", column, "names"]) value = isObject(value) ? value[key] : undefined;
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : undefined;
}

/** Images in a column, of which the row group that was read last stays in memory. */
function encodedRows(groups: readonly Group[], column: string, place: string): EncodedImages {
  const last = groups.at(-1)!;
  let held: { readonly at: Group; readonly values: ArrayLike<unknown> } | undefined;
  const groupAt = (position: number): Group => {
    let [low, high] = [0, groups.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (groups[middle]!.first <= position) low = middle;
      else high = middle - 1;
    }
    return groups[low]!;
  };
  const name = (position: number) => {
    const { path } = groupAt(position);
    return `${path}: image in row ${position - firstOf(groups, path)}`;
  };
  return {
    count: last.first + last.group.rows,
    place: resolve(place),
    id: (position) => String(position),
    name,
    bytes(position) {
      const at = groupAt(position);
      if (held?.at !== at) held = { at, values: at.group.column(column) };
      const value = held.values[position - at.first];
      if (value instanceof Uint8Array && value.length > 0) return value;
      throw new FileFormatError(`${name(position)}: it has no bytes; images in other files are not read`);
    },
  };
}

const firstOf = (groups: readonly Group[], path: string) => groups.find((one) => one.path === path)!.first;

function labelsOf(groups: readonly Group[], column: string): (number | string)[] {
  const decoder = new TextDecoder();
  return groups.flatMap(({ path, first, group }) =>
    Array.from(group.column(column), (value, i) => {
      if (typeof value === "bigint" || typeof value === "number") {
        const label = Number(value);
        if (Number.isInteger(label) && label >= 0 && label < mostClasses) return label;
      } else if (value instanceof Uint8Array || typeof value === "string") {
        return typeof value === "string" ? value : decoder.decode(value);
      }
      const row = first + i - firstOf(groups, path);
      throw new FileFormatError(
        `${path}: label ${shownName(String(value))} in row ${row} is no class number ` +
          `in 0 .. ${mostClasses - 1}, and no name`,
      );
    }),
  );
}

/** Classes of labels: as many as the largest number says, or as their texts say. */
function classesIn(labels: readonly (number | string)[], place: string): string[] {
  if (labels.every((label) => typeof label === "number")) return namesByNumber(labels, place);
  return namesOfTexts(labels.map(String), place);
}

/**
 * Hugging Face data set in parquet: a file, or a folder of files such as `train-00000-of-00001.parquet`.
 * Images are encoded in a column, class names taken from what `datasets` wrote beside it.
 */
export const parquet = defineSource("parquet", {
  summary: "Hugging Face parquet with encoded images: a file, or a folder of them",
  options: z.strictObject({
    ...sourceOptions,
    image: z.string().min(1).optional().describe("column of the images (default: image, img and the like)"),
    label: z
      .string()
      .min(1)
      .optional()
      .describe("column of the labels (default: label, fine_label and the like)"),
    ...decodingOptions,
  }),
  open({ path: given, classes, test: testShare, image, label, ...decoding }) {
    const name = "parquet";
    const place = pathOf(given, name);
    checkFit(decoding, name);
    const found = splitFilesIn(place);
    if (found.length === 0) throw new Error(`${name}: folder ${place} has no .parquet files`);
    const labelNames = label === undefined ? labelColumns : [label];
    const taken = splitsWithLabels(found, labelNames, place);
    const { path, file } = taken[0]!.files[0]!;
    const imageNames = image === undefined ? imageColumns : [`${image}.bytes`, image];
    const imageColumn = columnOf(path, file, imageNames, "image");
    const labelColumn = columnOf(path, file, labelNames, "label");
    const used = taken.map(({ split, groups }) => ({ split, groups, labels: labelsOf(groups, labelColumn) }));
    const all = used.flatMap(({ labels }) => labels);
    const classNames = classNamesFrom(classes, [join(dirname(path), "classes.txt")], () => {
      return namesWritten(file, labelColumn) ?? classesIn(all, place);
    });
    checkClassCount(classNames.length, place);
    const twice = firstTwice(classNames);
    if (twice !== undefined)
      throw new FileFormatError(`${path}: the class ${shownName(twice)} stands twice; give classes=FILE`);
    const numbers = new Map(classNames.map((one, i) => [one, i]));
    const numberOf = (value: number | string) =>
      typeof value === "number" ? value : (numbers.get(value) ?? classNumberIn(value) ?? -1);
    const wrong = all.find((value) => !(numberOf(value) >= 0 && numberOf(value) < classNames.length));
    if (wrong !== undefined)
      throw new FileFormatError(
        `${place}: label ${shownName(String(wrong))} is none of ${classNames.length} classes`,
      );
    const encoded = used.map(({ split, groups }) => encodedRows(groups, imageColumn, `${place} ${split}`));
    const imageShape = shapeFor(decoding, encoded[0]!);
    const splits: Partial<Record<SplitName, SplitData>> = {};
    for (const [i, { split, labels }] of used.entries())
      splits[split] = decodedSplit(
        encoded[i]!,
        labels.map(numberOf),
        classNames.length,
        decoding,
        imageShape,
      );
    return sourceOf({ name, place, imageShape, classNames, splits, testShare });
  },
});
