import type { ElementType } from "../element-types.js";

/** Form of a float of 8 bits: a sign, an exponent and a fraction. */
export interface Float8Form {
  /** Bits of the fraction. */
  readonly fraction: number;
  /** Exponent of the numbers whose stored exponent is 0 or 1. */
  readonly leastExponent: number;
  /** The largest number. */
  readonly most: number;
  /** Result of numbers beyond the largest, where they are not cut off there. */
  readonly beyond: number;
  /** Tells whether 0 has one sign only; its other one is NaN then. */
  readonly unsignedZero: boolean;
}

/** Forms by the names that ONNX gives them. Source: Micikevicius et al. 2022; Noune et al. 2022 ("fnuz"). */
export const float8Forms = {
  float8e4m3fn: {
    fraction: 3,
    leastExponent: -6,
    most: 448,
    beyond: Number.NaN,
    unsignedZero: false,
  },
  float8e4m3fnuz: {
    fraction: 3,
    leastExponent: -7,
    most: 240,
    beyond: Number.NaN,
    unsignedZero: true,
  },
  float8e5m2: {
    fraction: 2,
    leastExponent: -14,
    most: 57344,
    beyond: Number.POSITIVE_INFINITY,
    unsignedZero: false,
  },
  float8e5m2fnuz: {
    fraction: 2,
    leastExponent: -15,
    most: 57344,
    beyond: Number.NaN,
    unsignedZero: true,
  },
} as const satisfies Readonly<Record<string, Float8Form>>;

/** The number of a byte. */
function float8(bits: number, { fraction, leastExponent, most, beyond, unsignedZero }: Float8Form): number {
  const sign = bits & 0x80 ? -1 : 1;
  const [exponent, rest] = [(bits & 0x7f) >> fraction, bits & (2 ** fraction - 1)];
  if (unsignedZero && bits === 0x80) return Number.NaN;
  const normal = 2 ** (Math.max(exponent, 1) - 1 + leastExponent);
  const value = normal * ((exponent === 0 ? 0 : 1) + rest / 2 ** fraction);
  if (value <= most) return sign * value;
  // The first number beyond is infinite where the type has that; all others are none.
  return rest === 0 ? sign * beyond : Number.NaN;
}

const readerOf = (name: keyof typeof float8Forms): ElementType => ({
  name,
  bytes: 1,
  integer: false,
  read: (view, at) => float8(view.getUint8(at), float8Forms[name]),
});

/** Floats of 8 bits as files store them. */
export const float8Types = {
  float8e4m3fn: readerOf("float8e4m3fn"),
  float8e4m3fnuz: readerOf("float8e4m3fnuz"),
  float8e5m2: readerOf("float8e5m2"),
  float8e5m2fnuz: readerOf("float8e5m2fnuz"),
} as const satisfies Readonly<Record<string, ElementType>>;

/** Integers of 4 bits out of bytes of two each, the lower half first. */
export function halvesOf(bytes: Uint8Array, count: number, type: "uint4" | "int4"): Uint8Array | Int8Array {
  const halves = type === "int4" ? new Int8Array(count) : new Uint8Array(count);
  const sign = type === "int4" ? 8 : 0;
  for (let i = 0; i < count; i++) {
    const half = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    halves[i] = (half ^ sign) - sign;
  }
  return halves;
}
