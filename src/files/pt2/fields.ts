import { isObject, shownName } from "../../base/index.js";

/** Fault in an exported program, which the archive's reader puts the file's name before. */
export class Pt2Problem extends Error {
  override readonly name = "Pt2Problem";
}

/** Longer names and lists have no place in a model. */
const longestName = 1000;
const longestList = 100_000;

/** Object at a place of the JSON. */
export function objectAt(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (isObject(value) && !Array.isArray(value)) return value;
  throw new Pt2Problem(`${place} is no object`);
}

/** List at a place of the JSON. */
export function listAt(value: unknown, place: string, longest = longestList): readonly unknown[] {
  if (!Array.isArray(value)) throw new Pt2Problem(`${place} is no list`);
  if (value.length > longest)
    throw new Pt2Problem(`${place} has ${value.length} entries; at most ${longest} are read`);
  return value;
}

/** Name at a place of the JSON. */
export function nameAt(value: unknown, place: string): string {
  if (typeof value === "string" && value.length <= longestName) return value;
  throw new Pt2Problem(`${place} is no name`);
}

/**
 * Whole number at a place of the JSON. Those beyond 2^53, such as the end of a slice that has none, become
 * the largest or least that JavaScript counts.
 */
export function wholeAt(value: unknown, place: string): number {
  if (typeof value !== "number" || !Number.isInteger(value))
    throw new Pt2Problem(`${place} is no whole number`);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/** Whole number of at least 0 at a place of the JSON. */
export function countAt(value: unknown, place: string): number {
  const count = wholeAt(value, place);
  if (count >= 0) return count;
  throw new Pt2Problem(`${place} is ${count}, below 0`);
}

const namedFloats: Readonly<Record<string, number>> = {
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
};

/** Number at a place of the JSON; infinite ones are written as text. */
export function numberAt(value: unknown, place: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && Object.hasOwn(namedFloats, value)) return namedFloats[value]!;
  throw new Pt2Problem(`${place} is no number`);
}

/** The only key of a union's object, with its value. */
export function choiceAt(value: unknown, place: string): readonly [string, unknown] {
  const entries = Object.entries(objectAt(value, place)).filter(([key]) => key !== "$type");
  if (entries.length === 1) return entries[0]!;
  throw new Pt2Problem(`${place} must have one key, not ${entries.map(([key]) => shownName(key))}`);
}
