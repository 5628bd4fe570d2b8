import * as z from "zod";

const DECIMAL = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const RATIO = new RegExp(`^(${DECIMAL})(?:/(${DECIMAL}))?$`);

/** The number that `0.3`, `1e-3` or `8/255` stands for, or undefined when the text is no finite number. */
export function parseRatio(text: string): number | undefined {
  const match = RATIO.exec(text.trim());
  if (match === null) return undefined;
  const value = match[2] === undefined ? Number(match[1]) : Number(match[1]) / Number(match[2]);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * A number as people write it: `8/255` when it is a number of gray levels up to 1 with at most one decimal
 * (to a 1e-12th) and that is the shorter form, else the shortest decimal. RangeError for NaN and infinities,
 * which no option can hold.
 */
export function formatRatio(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a number in an option must be finite, given ${value}`);
  const decimal = Object.is(value, -0) ? "0" : String(value);
  const levels = Math.round(value * 2550) / 10;
  if (Math.abs(value) > 1 || Math.abs(value - levels / 255) > 1e-12 * Math.abs(value)) return decimal;
  const fraction = `${levels}/255`;
  return fraction.length < decimal.length ? fraction : decimal;
}

/** Advice of options that are an l-infinity radius: more than 1 would be gray levels. */
export const grayLevels = "gray levels are written as in 8/255";

/** Bounds of a `ratio()`: `min` and `max` are allowed values, `above` and `below` are not. */
export interface RatioBounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

/** A schema for a number that may also be written as text: `0.3`, `"8/255"`, `"1e-3"`. */
export function ratio(bounds: RatioBounds = {}): z.ZodType<number, number | string> {
  let number = z.number();
  if (bounds.min !== undefined) number = number.min(bounds.min);
  if (bounds.max !== undefined) number = number.max(bounds.max);
  if (bounds.above !== undefined) number = number.gt(bounds.above);
  if (bounds.below !== undefined) number = number.lt(bounds.below);
  const read = (given: unknown) => (typeof given === "string" ? (parseRatio(given) ?? given) : given);
  return z.preprocess(read, number) as z.ZodType<number, number | string>;
}
