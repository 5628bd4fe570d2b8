import { operators, type Tensor } from "../../../engine/index.js";
import { type Float8Form, float8Forms, type OnnxType } from "../../../files/index.js";

/** Form of a type that is a float of 8 bits. */
export function float8Form(type: string | undefined): Float8Form | undefined {
  return Object.hasOwn(float8Forms, type ?? "") ? float8Forms[type as keyof typeof float8Forms] : undefined;
}

/** The nearest floats of 8 bits, the even one of two; `saturate` cuts off those beyond the largest. */
export function toFloat8(values: Tensor, form: Float8Form, saturate: boolean): Tensor {
  const { fraction, leastExponent, most, beyond } = form;
  const wide = values.to("float64");
  const size = wide.abs().clamp(undefined, 2 * most);
  const exponent = size.log().div(Math.LN2).floor().clamp(leastExponent);
  // Powers of two may come out an ulp aside in float64, but not in float32.
  const step = wide.fullLike(2).powTensor(exponent.sub(fraction)).to("float32").to("float64");
  const near = size.div(step).round().mul(step);
  const within = operators.where(near.gt(most), near.fullLike(saturate ? most : beyond), near);
  return operators.where(wide.lt(0), within.neg(), within).to("float32");
}

/** Integers of so many bits, from the least on; what is beyond wraps around. */
function wrapped(values: Tensor, bits: number, least: number): Tensor {
  const from = least === 0 ? values : values.sub(least);
  const inside = from.sub(from.divRounded(from.fullLike(2 ** bits), "floor").mul(2 ** bits));
  return least === 0 ? inside : inside.add(least);
}

/** Values that are held in a wider type, rounded or wrapped to what the narrow type has. */
export function narrowed(type: OnnxType | undefined, values: Tensor, saturate = true): Tensor {
  if (type === "float16" || type === "bfloat16") return values.to(type).to("float32");
  if (type === "uint16") return wrapped(values, 16, 0);
  if (type === "int16") return wrapped(values, 16, -32768);
  if (type === "uint4") return wrapped(values, 4, 0);
  if (type === "int4") return wrapped(values, 4, -8);
  const form = float8Form(type);
  return form === undefined ? values : toFloat8(values, form, saturate);
}
