import { dirname, isAbsolute, join, resolve } from "node:path";
import * as z from "zod";
import { FileFormatError, shownName } from "../../base/index.js";
import { type CsvRow, parseCsv } from "../../files/index.js";
import { defineSource } from "../dataset.js";
import { checkFit } from "../pixels/fit.js";
import type { SplitData, SplitName } from "../split.js";
import { checkClassCount, classNamesFrom, classNumberIn, namesOfTexts } from "./class-names.js";
import { decodedSplit, decodingOptions, encodedFiles, type ImageFile, shapeFor } from "./image-files.js";
import { splitFolders } from "./image-folder.js";
import { readRegularFile } from "./regular-file.js";
import { pathOf, sourceOf, sourceOptions } from "./source.js";

const mostListBytes = 2 ** 28;

/** Names of columns that lists are found with; of several in a list the first here is read. */
const columnNames = {
  path: ["path", "file", "filename", "file_name", "filepath", "image", "image_path", "img"],
  label: ["label", "class", "target", "category", "class_name", "classname", "y"],
  split: ["split", "set", "subset"],
};

/** Place of a column by its name, -1 for none. FileFormatError where two have it. */
function onlyIn(header: readonly string[], name: string, file: string): number {
  const place = header.indexOf(name);
  if (place === header.lastIndexOf(name)) return place;
  throw new FileFormatError(`${file}:1: two columns are named ${name}: rename the one that is not meant`);
}

/** Refuses a row with more fields than the first: a comma within a field would cut its path or label. */
function checkFields(fields: readonly string[], most: number, place: string): void {
  if (fields.slice(most).every((field) => field === "")) return;
  throw new FileFormatError(
    `${place}: ${fields.length} fields, and ${most} in the first row: put quotes around a field with a ` +
      `comma, as in "a, b"; found ${shownName(fields.join(","))}`,
  );
}

/** Places of the columns, and the rows below the header. */
function columnsOf(rows: readonly CsvRow[], file: string) {
  const [first] = rows;
  if (first === undefined) throw new FileFormatError(`${file}: it has no rows`);
  const header = first.fields.map((field) => field.toLowerCase());
  const find = (names: readonly string[]) =>
    names.map((name) => onlyIn(header, name, file)).find((place) => place >= 0) ?? -1;
  const [path, label, split] = [columnNames.path, columnNames.label, columnNames.split].map(find);
  if (path! >= 0 && label! >= 0) return { path: path!, label: label!, split: split!, rows: rows.slice(1) };
  if (path! >= 0 || label! >= 0) {
    const missing = path! >= 0 ? "label" : "path";
    throw new FileFormatError(
      `${file}:1: a header without a column ${missing}: ${shownName(header.join(","))}`,
    );
  }
  return { path: 0, label: 1, split: -1, rows };
}

interface Listed {
  readonly line: number;
  readonly path: string;
  readonly label: string;
  /** Name of its split, such as "val"; undefined where the list has none. */
  readonly split: string | undefined;
}

function listedIn(file: string): Listed[] {
  const rows = parseCsv(readRegularFile(file, mostListBytes), file);
  const columns = columnsOf(rows, file);
  if (columns.rows.length === 0) throw new FileFormatError(`${file}: it has no rows below its header`);
  return columns.rows.map(({ line, fields }) => {
    checkFields(fields, Math.max(2, rows[0]!.fields.length), `${file}:${line}`);
    const [path, label] = [fields[columns.path], fields[columns.label]];
    if (path === undefined || path === "" || label === undefined || label === "") {
      const given = fields.join(",");
      const hint = /[;\t]/.test(given) ? "; commas part fields" : "";
      throw new FileFormatError(
        `${file}:${line}: expected a path and a label, as in cats/1.png,cat, ` +
          `found ${shownName(given)}${hint}`,
      );
    }
    const split = columns.split < 0 ? undefined : splitNamed(fields[columns.split] ?? "", file, line);
    return { line, path, label, split };
  });
}

function splitNamed(text: string, file: string, line: number): string {
  const name = text.toLowerCase();
  if (Object.values(splitFolders).flat().includes(name)) return name;
  throw new FileFormatError(`${file}:${line}: split ${shownName(text)}, expected train, val or test`);
}

/** Rows of a split, by the first of its names that has any. A list without splits is all to test on. */
function rowsOf(listed: readonly Listed[], split: SplitName): readonly Listed[] {
  if (listed.every((row) => row.split === undefined)) return split === "test" ? listed : [];
  const name = splitFolders[split].find((one) => listed.some((row) => row.split === one));
  return name === undefined ? [] : listed.filter((row) => row.split === name);
}

/** Class number of a row. */
type ClassOf = (row: Listed) => number;

/**
 * Refuses an image that has two labels, of which no model can be right in both, and one that is to train on
 * and to test on, of which an accuracy says nothing. An image may be listed several times otherwise.
 */
function checkOnce(train: readonly Listed[], test: readonly Listed[], file: string, classOf: ClassOf): void {
  const known = new Map<string, { readonly row: Listed; readonly number: number; readonly rows: unknown }>();
  for (const rows of [train, test]) {
    for (const row of rows) {
      const path = resolve(dirname(file), row.path);
      const number = classOf(row);
      const before = known.get(path);
      if (before === undefined) {
        known.set(path, { row, number, rows });
        continue;
      }
      const { line, label } = before.row;
      const name = `${file}:${row.line}: ${shownName(row.path)}`;
      if (before.number !== number)
        throw new FileFormatError(
          `${name} has the label ${shownName(row.label)}, and ${shownName(label)} in line ${line}: ` +
            "an image has one label",
        );
      if (before.rows === rows) continue;
      throw new FileFormatError(
        `${name} is to test on, and to train on in line ${line}: give it to one split`,
      );
    }
  }
}

/** Reads a label: the name of a class, or its number where no class is named so. */
function labelOf({ label, line }: Listed, numbers: ReadonlyMap<string, number>, file: string): number {
  const number = numbers.get(label) ?? classNumberIn(label);
  if (number !== undefined && number < numbers.size) return number;
  throw new FileFormatError(
    `${file}:${line}: label ${shownName(label)} is none of the ${numbers.size} classes`,
  );
}

/**
 * List of images: a CSV file of paths, relative to it, and labels, which are names of classes or their
 * numbers from 0. A header may name the columns, and a column `split` says train, val or test;
 * val is read where no row is test.
 */
export const imageList = defineSource("image-list", {
  summary: "CSV list of images: path,label, perhaps with a header and a column split",
  options: z.strictObject({ ...sourceOptions, ...decodingOptions }),
  open({ path: given, classes, test: testShare, ...decoding }) {
    const name = "image-list";
    const place = pathOf(given, name);
    checkFit(decoding, name);
    const listed = listedIn(place);
    const usual = [join(dirname(place), "classes.txt")];
    const classNames = classNamesFrom(classes, usual, () => {
      const labels = listed.map(({ label }) => label);
      return namesOfTexts(labels, place);
    });
    checkClassCount(classNames.length, place);
    const numbers = new Map(classNames.map((label, i) => [label, i]));
    const rows = { train: rowsOf(listed, "train"), test: rowsOf(listed, "test") };
    const classOf: ClassOf = (row) => labelOf(row, numbers, place);
    checkOnce(rows.train, rows.test, place, classOf);
    const files = (split: SplitName): ImageFile[] =>
      rows[split].map((row) => ({
        path: isAbsolute(row.path) ? row.path : join(dirname(place), row.path),
        id: row.path,
        label: classOf(row),
      }));
    const ofSplit = { train: files("train"), test: files("test") };
    const used = (["train", "test"] as const).filter((split) => ofSplit[split].length > 0);
    const imageShape = shapeFor(decoding, encodedFiles(ofSplit[used[0]!], place));
    const splits: Partial<Record<SplitName, SplitData>> = {};
    for (const split of used) {
      const labels = ofSplit[split].map(({ label }) => label);
      const encoded = encodedFiles(ofSplit[split], `${place} ${split}`);
      splits[split] = decodedSplit(encoded, labels, classNames.length, decoding, imageShape);
    }
    return sourceOf({ name, place, imageShape, classNames, splits, testShare });
  },
});
