import { sizeOf } from "../base/index.js";
import type { DType } from "./dtype.js";

/** libtorch takes no more in most operators; an array may claim thousands of millions and have none. */
const mostAxes = 64;

/** Sides of a shape, read once: an element may be a getter that answers otherwise the next time. */
export function sidesOf(shape: readonly number[]): number[] {
  if (!Array.isArray(shape)) throw new TypeError(`shape must be an array of integers, not ${String(shape)}`);
  if (shape.length > mostAxes)
    throw new RangeError(`shape must have at most ${mostAxes} axes, not ${shape.length}`);
  const sides = Array.from(shape as readonly number[]);
  if (sides.some((side) => !Number.isSafeInteger(side) || side < 0)) {
    throw new RangeError(`shape must hold integers >= 0, not [${sides.map(String).join(", ")}]`);
  }
  return sides;
}

/** RangeError unless a shape takes so many elements. */
export function checkShape(shape: readonly number[], size: number): void {
  const wanted = sizeOf(shape);
  if (wanted !== size)
    throw new RangeError(`shape [${shape.join(", ")}] takes ${wanted} elements, not ${size}`);
}

/**
 * Numbers that integer dtypes hold; any number is rounded to the nearest float, and any but 0 is true.
 */
const wholeNumbers: ReadonlyMap<DType, readonly [least: number, most: number]> = new Map([
  ["uint8", [0, 255]],
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  ["int64", [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
]);

/** RangeError for a number that an integer dtype does not hold. */
export function checkWhole(numbers: Float64Array, dtype: DType): void {
  const bounds = wholeNumbers.get(dtype);
  if (bounds === undefined) return;
  const [least, most] = bounds;
  const wrong = numbers.find((value) => !(Number.isInteger(value) && value >= least && value <= most));
  if (wrong !== undefined)
    throw new RangeError(`data of ${dtype} must be integers in ${least} .. ${most}, not ${wrong}`);
}
