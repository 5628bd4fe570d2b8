import { noGrad, scope, type Tensor } from "../engine/index.js";
import { addMultiples, distinct, multiply } from "../nn/index.js";

/**
 * The decay of an average's update, the first being 1: that of a long run is reached only when a run is long.
 * Without it the random weights of the beginning would weigh most in a short one.
 */
export function averagingDecay(decay: number, update: number): number {
  if (!(decay >= 0 && decay < 1)) throw new RangeError(`decay must be in [0, 1), not ${decay}`);
  if (!(Number.isInteger(update) && update >= 1))
    throw new RangeError(`update must be an integer >= 1, not ${update}`);
  return Math.min(decay, (1 + update) / (10 + update));
}

/**
 * Moves an average towards values, in place: average = kept * average + taken * value. The factors are
 * tensors without axes, d and 1 - d with d of `averagingDecay`. Running statistics of batch normalization are
 * averaged as weights are: they then belong to the networks whose mean this is.
 */
export function updateAverage(
  average: ReadonlyMap<string, Tensor>,
  values: ReadonlyMap<string, Tensor>,
  { kept, taken }: { kept: Tensor; taken: Tensor },
): void {
  // A tensor that layers share is moved once.
  const moved = distinct(average);
  const own = [...moved.values()];
  const given = [...moved.keys()].map((name) => {
    const value = values.get(name);
    if (value === undefined)
      throw new RangeError(`values must have every name of the average; "${name}" is missing`);
    return value;
  });
  noGrad(() =>
    scope(() => {
      multiply(own, kept);
      addMultiples(own, given, taken);
    }),
  );
}
