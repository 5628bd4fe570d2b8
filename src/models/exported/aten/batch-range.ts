import type { Pt2Program, Pt2Size } from "../../../files/index.js";

/** Most images that a graph is given at once. */
const mostImages = 4096;

/** Sizes as SymPy writes them: `Symbol('s77', ...)`, so many times it, or a number more than either. */
const symbols = /^Symbol\('(\w+)'[^()]*\)$/;
const sums = /^Add\((.*), Integer\((-?\d+)\)\)$/;

/** An expression of SymPy as a whole number of times another; `times` is undefined where it is no product. */
export function factored(expression: string): { readonly times: number | undefined; readonly of: string } {
  const [, times, of = expression] = /^Mul\(Integer\(([1-9]\d*)\), (.*)\)$/.exec(expression) ?? [];
  return { times: times === undefined ? undefined : Number(times), of };
}

/**
 * Numbers of images that a program takes at once. Of a number that is made of a symbol, such as four times
 * it, that is the least alone: batches are filled up to it as to a fixed one. PyTorch's own conditions can
 * ask for more than the range of the number itself says, so that the symbol's counts.
 *
 * @param batch first size of the images
 * @throws RangeError for a range without a number
 */
export function batchRange({ ranges }: Pt2Program, batch: Pt2Size): { least: number; most: number } {
  if (typeof batch === "number") return within(batch, batch);
  const [, summand = batch.symbol, more] = sums.exec(batch.symbol) ?? [];
  const { times, of } = factored(summand);
  const [, name = batch.symbol] = symbols.exec(of) ?? [];
  const range = ranges.get(name);
  const least = Math.max(1, range?.least ?? 1);
  if (times === undefined && more === undefined) return within(least, range?.most ?? mostImages);
  const count = (times ?? 1) * least + Number(more ?? 0);
  return within(count, count);
}

function within(from: number, to: number) {
  const least = Math.max(1, from);
  if (least > mostImages) throw new RangeError(`it takes ${least} images at once, more than ${mostImages}`);
  if (!(least <= to)) throw new RangeError(`it takes ${least} to ${to} images at once`);
  return { least, most: Math.min(mostImages, to) };
}
