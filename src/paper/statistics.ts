/** Mean and standard deviation (n - 1) of the values of several seeds; the deviation of one value is undefined. */
export interface Spread {
  readonly mean: number;
  readonly deviation?: number;
  readonly values: readonly number[];
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("a mean needs at least one value");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, values };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)), values };
}

/** How many seeds, in words. */
export function seedsText(count: number): string {
  return count === 1 ? "1 seed" : `${count} seeds`;
}

/** How many epochs, in words. */
export function epochsText(count: number): string {
  return count === 1 ? "1 epoch" : `${count} epochs`;
}

/** A spread as tables show it, "12.34 ± 0.56"; a dash where there is none. */
export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return "–";
  const { mean, deviation } = spread;
  return deviation === undefined ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
}
