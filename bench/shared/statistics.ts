/** Median and quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Median and quartiles of at least one number, interpolated linearly. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("a spread needs at least one value");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const below = sorted[Math.floor(position)]!;
    return below + (position % 1) * (sorted[Math.ceil(position)]! - below);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Spread of the ratios of two lists of measurements, pair by pair: what slowed a whole round cancels. */
export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Spread {
  if (numerators.length !== denominators.length)
    throw new RangeError("a ratio needs as many values on both sides");
  return spreadOf(numerators.map((value, i) => value / denominators[i]!));
}
