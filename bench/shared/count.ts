/**
 * Reads a whole number in `least` .. `most` from an option's text; throws a RangeError that names the option
 * otherwise.
 */
export function count(name: string, text: string, most: number, least = 1): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number in ${least} .. ${most}, not ${text}`);
}
