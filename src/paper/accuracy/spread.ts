import * as z from "zod";

/** Form of a spread in JSON. */
export const spreadSchema = z.object({
  mean: z.number(),
  deviation: z.number().optional(),
  values: z.array(z.number()),
});

/**
 * Mean and standard deviation (n - 1) of the values of several seeds; the deviation of one value is
 * undefined.
 */
export type Spread = z.output<typeof spreadSchema>;

/** Spread of values; RangeError for none. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("a mean needs at least one value");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, values: [...values] };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)), values: [...values] };
}

/** Mean and deviation as tables show them, "12.34 ± 0.56"; a dash where there is none. */
export function spreadText(
  spread: Pick<Spread, "mean" | "deviation"> | undefined,
  text: (value: number) => string = (value) => value.toFixed(2),
): string {
  if (spread === undefined) return "–";
  const { mean, deviation } = spread;
  return deviation === undefined ? text(mean) : `${text(mean)} ± ${text(deviation)}`;
}
