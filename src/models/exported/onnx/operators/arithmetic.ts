import type { Tensor } from "../../../../engine/index.js";
import { isSigned, negatedWhere, withoutMinusOne } from "../../whole-numbers.js";
import {
  anyNumber,
  compares,
  keepsMasks,
  type NodeTraits,
  type NodeView,
  type OnnxOperators,
  operator,
} from "../node.js";
import { beside, checkBroadcast, isFloat } from "../values.js";

/** A function of two tensors, which are broadcast. */
const pair = (run: (a: Tensor, b: Tensor) => Tensor, traits: NodeTraits = {}) =>
  operator(
    2,
    (node, a, b) => {
      checkBroadcast(node, a.shape, b.shape);
      return a.size >= b.size ? run(a, beside(a, b)) : run(beside(b, a), b);
    },
    traits,
  );

const compare = (run: (a: Tensor, b: Tensor) => Tensor) => pair(run, compares);

/** Folds any number of tensors from the left. */
const together = (run: (a: Tensor, b: Tensor) => Tensor) =>
  operator([1, anyNumber], (_, ...inputs) => inputs.reduce((a, b) => run(a, b)));

/** The remainder with the sign of the divisor, or with that of the dividend. */
function mod(node: NodeView, a: Tensor, b: Tensor): Tensor {
  const divisor = isSigned(b) ? withoutMinusOne(b).divisor : b;
  return node.int("fmod", 0) === 0 ? a.remainder(divisor) : a.fmod(divisor);
}

/** The quotient, cut to a whole number for whole numbers. */
function quotient(a: Tensor, b: Tensor): Tensor {
  if (isFloat(a)) return a.div(b);
  if (!isSigned(b)) return a.divRounded(b, "trunc");
  const { divisor, negative } = withoutMinusOne(b);
  return negatedWhere(negative, a.divRounded(divisor, "trunc"));
}

/** The power, of the first one's type. */
function power(_: NodeView, base: Tensor, exponent: Tensor): Tensor {
  if (exponent.size === 1 && isFloat(base) && !exponent.requiresGrad) {
    const value = exponent.device === "cpu" ? exponent.item() : undefined;
    if (value === 2 && exponent.shape.length <= base.shape.length) return base.mul(base);
  }
  return base.powTensor(beside(base, exponent)).to(base.dtype);
}

/** Operators of several tensors, element by element. */
export const arithmetic: OnnxOperators = {
  Add: pair((a, b) => a.add(b)),
  Sub: pair((a, b) => a.sub(b)),
  Mul: pair((a, b) => a.mul(b)),
  Div: pair(quotient),
  Pow: operator(2, power),
  Mod: operator(2, mod),
  Equal: compare((a, b) => a.eq(b)),
  Less: compare((a, b) => a.lt(b)),
  LessOrEqual: compare((a, b) => a.le(b)),
  Greater: compare((a, b) => a.gt(b)),
  GreaterOrEqual: compare((a, b) => a.ge(b)),
  And: pair((a, b) => a.logicalAnd(b), keepsMasks),
  Or: pair((a, b) => a.logicalOr(b), keepsMasks),
  Xor: pair((a, b) => a.logicalXor(b), keepsMasks),
  Max: together((a, b) => a.maximum(b)),
  Min: together((a, b) => a.minimum(b)),
  Sum: together((a, b) => a.add(b)),
  Mean: operator([1, anyNumber], (_, ...inputs) => inputs.reduce((a, b) => a.add(b)).div(inputs.length)),
};
