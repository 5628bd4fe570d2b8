import { operators, type Tensor } from "../../engine/index.js";

/**
 * Divisor of whole numbers, 1 where it was -1, and the mask of those places. The smallest number divided by
 * -1 is none of its type: processors end the process there.
 */
export function withoutMinusOne(divisor: Tensor): { readonly divisor: Tensor; readonly negative: Tensor } {
  const negative = divisor.eq(-1);
  return { divisor: operators.where(negative, divisor.onesLike(), divisor), negative };
}

/** Quotient of whole numbers, negated where their divisor was -1. */
export function negatedWhere(negative: Tensor, quotient: Tensor): Tensor {
  return operators.where(negative, quotient.neg(), quotient);
}

/** Tells a tensor of whole numbers that may be negative. */
export const isSigned = ({ dtype }: Tensor): boolean => /^int/.test(dtype);
