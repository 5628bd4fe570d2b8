import { checkKind, isObject, shownGiven, unknownName } from "../../base/index.js";
import { Tensor } from "../../engine/index.js";

/** A number for both axes of an image, or one for each. */
export type Size2d = number | readonly [height: number, width: number];

/** A `Size2d` as libtorch takes it. */
export type Pair = readonly [height: number, width: number];

const shown = (given: unknown) => (Array.isArray(given) ? `[${given.join(", ")}]` : shownGiven(given));

const isCount = (given: unknown, least: number) => Number.isSafeInteger(given) && (given as number) >= least;

/** Throws a RangeError unless a number is an integer from `least` on. */
export function checkCount(name: string, given: number, least = 1): void {
  if (!isCount(given, least))
    throw new RangeError(`${name} must be an integer >= ${least}, not ${shown(given)}`);
}

/** Throws a RangeError unless a number is finite and lies where it is accepted. */
export function checkFinite(
  name: string,
  given: number,
  accepted: string,
  isAccepted: (value: number) => boolean,
): void {
  if (Number.isFinite(given) && isAccepted(given)) return;
  throw new RangeError(`${name} must be ${accepted}, not ${shown(given)}`);
}

/** The number of each axis. Throws a RangeError unless each is an integer from `least` on. */
export function pairOf(name: string, given: Size2d, least: number): Pair {
  const pair = Array.isArray(given) ? given : [given, given];
  if (pair.length === 2 && pair.every((side) => isCount(side, least))) return [pair[0], pair[1]];
  throw new RangeError(
    `${name} must be an integer >= ${least} or [height, width] of them, not ${shown(given)}`,
  );
}

/** Throws for options that are no object, or that a layer does not have. */
export function checkOptions(layer: string, options: object, known: readonly string[]): void {
  checkKind(`options of ${layer}`, options, `an object with ${known.join(", ")}`, isObject(options));
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName(`option of ${layer}`, unknown, known);
}

/** Throws unless a parameter is a tensor of a shape, in which null stands for any side. */
export function checkShape(name: string, given: Tensor, sides: readonly (number | null)[]): void {
  checkKind(name, given, "a tensor", given instanceof Tensor);
  const { shape } = given;
  if (shape.length !== sides.length || sides.some((side, i) => side !== null && side !== shape[i])) {
    const accepted = sides.map((side) => side ?? "any").join(", ");
    throw new RangeError(`${name} must have the shape [${accepted}], not [${shape.join(", ")}]`);
  }
}

/** Height and width of what a window makes of an image. */
export function windowSides(
  image: readonly number[],
  window: readonly number[],
  steps: { readonly stride: Pair; readonly padding: Pair; readonly dilation: Pair },
): number[] {
  const { stride, padding, dilation } = steps;
  return image.map((side, axis) => {
    const taken = dilation[axis]! * (window[axis]! - 1) + 1;
    return Math.floor((side + 2 * padding[axis]! - taken) / stride[axis]!) + 1;
  });
}
