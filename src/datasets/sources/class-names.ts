import { existsSync } from "node:fs";
import { FileFormatError, shownName } from "../../base/index.js";
import { readRegularFile } from "./regular-file.js";

export const mostClasses = 100_000;

/**
 * Names of classes in a file, one a line; FileFormatError where one stands twice, for under two, for an empty
 * line between them, by which numbers would shift, and for what is no text in UTF-8.
 */
export function readClassNames(file: string): string[] {
  const names = textOf(file)
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const empty = names.length > 1 ? names.indexOf("") : -1;
  if (empty >= 0) throw new FileFormatError(`${file}:${empty + 1}: an empty line, expected a class on each`);
  const twice = firstTwice(names);
  if (twice !== undefined) throw new FileFormatError(`${file}: the class ${shownName(twice)} stands twice`);
  checkClassCount(names[0] === "" ? 0 : names.length, file);
  return names;
}

function textOf(file: string): string {
  const bytes = readRegularFile(file, 2 ** 24);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Told below.
  }
  throw new FileFormatError(`${file}: not text in UTF-8: save it as such`);
}

/** First of names that stands twice. */
export function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** FileFormatError unless there are two classes or more. */
export function checkClassCount(count: number, place: string): void {
  if (count < 2)
    throw new FileFormatError(`${place}: ${count} class${count === 1 ? "" : "es"}, expected 2 or more`);
  if (count > mostClasses) throw new FileFormatError(`${place}: ${count} classes, more than ${mostClasses}`);
}

/**
 * Names of classes that only their numbers tell: 0 to the largest label. FileFormatError for labels that are
 * 1, 2 and so on without a gap: those count from 1, and class 0 would be one that no image has.
 */
export function namesByNumber(labels: Iterable<number>, place: string): string[] {
  const found = new Set(labels);
  const last = [...found].reduce((most, label) => Math.max(most, label), 0);
  if (last > 0 && !found.has(0) && found.size === last) {
    throw new FileFormatError(
      `${place}: its labels are 1 to ${last}, and classes are numbered from 0: subtract 1, or name the ` +
        "classes in classes.txt, that of label 0 first",
    );
  }
  checkClassCount(last + 1, place);
  return Array.from({ length: last + 1 }, (_, i) => String(i));
}

/** Class number that a label's text says, also as a float such as 3.0; undefined for any other text. */
export function classNumberIn(text: string): number | undefined {
  return /^(0|[1-9]\d{0,5})(\.0+)?$/.test(text) ? Number(text) : undefined;
}

/** Number that can be no class number: signed, or with a fraction. Digits alone, as in 007, may be a name. */
const otherNumber = /^(?:[+-]\d+(?:\.\d+)?|\d*\.\d+)$/;

/**
 * Names of classes that labels' texts tell: class numbers, or else names in the order of their bytes.
 * FileFormatError for numbers that are none of classes: in the order of their bytes -2 comes after -1.
 */
export function namesOfTexts(texts: Iterable<string>, place: string): string[] {
  const labels = [...new Set(texts)];
  const numbers = labels.map(classNumberIn);
  if (numbers.every((number) => number !== undefined)) return namesByNumber(numbers, place);
  const other = labels.find((label, i) => numbers[i] === undefined && otherNumber.test(label));
  const areNumbers = labels.every((label) => otherNumber.test(label) || /^\d+$/.test(label));
  if (other === undefined || !areNumbers) return labels.sort(byBytes);
  throw new FileFormatError(
    `${place}: its labels are numbers, and ${shownName(other)} is no class number from 0 on: number the ` +
      "classes 0, 1 and so on, or name them in classes.txt, as the labels are written",
  );
}

/**
 * Names of classes: those of the given file, those of the first of usual files that exists, or those of
 * `otherwise`.
 */
export function classNamesFrom<T>(
  given: string | undefined,
  usual: readonly string[],
  otherwise: () => T,
): string[] | T {
  const file = given ?? usual.find((path) => existsSync(path));
  return file === undefined ? otherwise() : readClassNames(file);
}

/** Order of bytes in UTF-8, by which torchvision numbers class folders. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
