import { Tensor } from "../../../engine/index.js";
import { isSigned, negatedWhere, withoutMinusOne } from "../whole-numbers.js";
import type { Argument } from "./arguments.js";
import type { Parameter } from "./schema.js";

/** Arguments that an operator is called with, and what its result still lacks. */
export interface Guarded {
  readonly args: Argument[];
  readonly finish?: (result: Tensor) => Tensor;
}

type Guard = (args: Argument[], parameters: readonly Parameter[]) => Guarded;

function isWholeArgument(value: Argument): boolean {
  return value instanceof Tensor ? !/float/.test(value.dtype) : Number.isInteger(value);
}

/** Guards a division or remainder of whole numbers. */
const dividing =
  (isQuotient: boolean): Guard =>
  (args) => {
    const [self, divisor, ...rest] = args;
    if (!isWholeArgument(self)) return { args };
    const finishedBy = (finish: (quotient: Tensor) => Tensor) => (isQuotient ? { finish } : {});
    if (divisor === -1) return { args: [self, 1, ...rest], ...finishedBy((quotient) => quotient.neg()) };
    if (!(divisor instanceof Tensor && isSigned(divisor))) return { args };
    const { divisor: other, negative } = withoutMinusOne(divisor);
    const finish = (quotient: Tensor) => negatedWhere(negative, quotient);
    return { args: [self, other, ...rest], ...finishedBy(finish) };
  };

/** True division has floats as its result: it is guarded where it rounds. */
const rounding: Guard = (args, parameters) => {
  const mode = args[parameters.findIndex(({ name }) => name === "rounding_mode")];
  return typeof mode === "string" ? dividing(true)(args, parameters) : { args };
};

/** Refuses scales other than those of the sizes: kernels find places by them, and read there unchecked. */
const resampling: Guard = (args, parameters) => {
  const argument = (name: string) => args[parameters.findIndex((parameter) => parameter.name === name)];
  const [self, sizes] = [argument("self"), argument("output_size")];
  const scales = (["scales", "scales_h", "scales_w"] as const).filter((name) =>
    parameters.some((parameter) => parameter.name === name),
  );
  if (!(self instanceof Tensor) || !Array.isArray(sizes)) return { args };
  const sides = self.shape.slice(self.shape.length - scales.length);
  for (const [axis, name] of scales.entries()) {
    const scale = argument(name);
    if (scale === undefined || scale === null) continue;
    const [side, size] = [sides[axis]!, sizes[axis] as number];
    if (Math.abs(Math.floor(side * (scale as number)) - size) <= 1) continue;
    throw new RangeError(`${name}: ${scale} does not make ${size} pixels of ${side}`);
  }
  return { args };
};

/** Larger factors have squares beyond the range of numbers in older versions of libtorch. */
const mostFactor = 2 ** 15;

const shuffling: Guard = (args) => {
  const factor = args[1];
  if (typeof factor === "number" && factor <= mostFactor) return { args };
  throw new RangeError(`upscale_factor: ${factor} is more than ${mostFactor}`);
};

const guards: ReadonlyMap<string, Guard> = new Map([
  ["div", rounding],
  ["divide", rounding],
  ["floor_divide", dividing(true)],
  ["remainder", dividing(false)],
  ["fmod", dividing(false)],
  ["pixel_shuffle", shuffling],
  ["upsample_nearest1d", resampling],
  ["upsample_nearest2d", resampling],
  ["_upsample_nearest_exact2d", resampling],
  ["upsample_bilinear2d", resampling],
  ["upsample_bicubic2d", resampling],
  ["_upsample_bilinear2d_aa", resampling],
  ["_upsample_bicubic2d_aa", resampling],
]);

/** Arguments of an operator, by its name without the mark of one in place, as kernels bear them. */
export function guarded(name: string, parameters: readonly Parameter[], args: Argument[]): Guarded {
  return guards.get(name)?.(args, parameters) ?? { args };
}
