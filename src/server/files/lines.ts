import { readPart } from "./read-part.js";

/** Place in a file up to which its lines were read: the file itself, by its number, and the bytes. */
export interface Place {
  readonly file: number;
  readonly bytes: number;
}

/** Lines that were added to a file behind a place. */
export interface NewLines {
  readonly lines: readonly string[];
  readonly place: Place;
  /** True where the file is another or shorter than it was: the lines are those from its beginning. */
  readonly anew: boolean;
}

/** Place before any line. */
export const beginning: Place = { file: 0, bytes: 0 };

const newline = 0x0a;

/** Complete lines of a file behind a place; none where there is no file. */
export function linesAfter(path: string, place: Place, most = 64 * 2 ** 20): NewLines {
  const first = readPart(path, place.bytes, most);
  if (first === undefined) return { lines: [], place: beginning, anew: place.bytes > 0 };
  const { ino, size } = first.stats;
  const anew = place.file !== 0 && (ino !== place.file || size < place.bytes);
  const { bytes } = anew ? (readPart(path, 0, most) ?? first) : first;
  const end = bytes.lastIndexOf(newline) + 1;
  const lines = end === 0 ? [] : bytes.toString("utf8", 0, end - 1).split("\n");
  return { lines, place: { file: ino, bytes: (anew ? 0 : place.bytes) + end }, anew };
}

/** Complete lines among the last bytes of a file; undefined where there is no file. */
export function lastLines(path: string, most: number): string[] | undefined {
  const part = readPart(path, -most, most);
  if (part === undefined) return undefined;
  const { bytes, from } = part;
  const begin = from === 0 ? 0 : bytes.indexOf(newline) + 1;
  const end = bytes.lastIndexOf(newline);
  return end < begin ? [] : bytes.toString("utf8", begin, end).split("\n");
}
