import { operators, type Tensor } from "../../../../engine/index.js";
import { compares, keepsMasks, type NodeView, type OnnxOperators, operator, rounds } from "../node.js";
import { beside, isFloat } from "../values.js";

/** A function of one tensor. */
const map = (run: (input: Tensor) => Tensor) => operator(1, (_, input) => run(input));

const step = (run: (input: Tensor) => Tensor) =>
  operator(1, (_, input) => (isFloat(input) ? run(input) : input), rounds);

/**
 * Limits, at which the whole gradient passes as in `clamp`; ReLU6, which exporters write as limits of 0 and
 * 6, has none there in PyTorch.
 */
function clip(_: NodeView, x: Tensor, least?: Tensor, most?: Tensor): Tensor {
  const [low, high] = [least, most].map((one) => one && beside(x, one.to(x.dtype).reshape([])));
  if (low === undefined && high === undefined) return x;
  if (low === undefined || high === undefined) return x.clampTensor(low, high);
  const isRelu6 = isFloat(x) && x.device === "cpu" && low.item() === 0 && high.item() === 6;
  return isRelu6 ? operators.hardtanh(x, 0, 6) : x.clampTensor(low, high);
}

/** Operators of one tensor, element by element. */
export const elementwise: OnnxOperators = {
  Identity: operator(1, (_, x) => x, keepsMasks),
  Abs: map((x) => (x.dtype === "bool" ? x : x.abs())),
  Neg: map((x) => x.neg()),
  Exp: map((x) => x.exp()),
  Log: map((x) => x.log()),
  Sqrt: map((x) => x.sqrt()),
  Reciprocal: map((x) => x.reciprocal()),
  Erf: map((x) => (isFloat(x) ? x.erf() : x.to("float32").erf().to(x.dtype))),
  Sin: map((x) => x.sin()),
  Cos: map((x) => x.cos()),
  Tan: map((x) => x.tan()),
  Asin: map((x) => x.asin()),
  Acos: map((x) => x.acos()),
  Atan: map((x) => x.atan()),
  Sinh: map((x) => x.sinh()),
  Cosh: map((x) => x.cosh()),
  Asinh: map((x) => x.asinh()),
  Acosh: map((x) => x.acosh()),
  Atanh: map((x) => x.atanh()),
  Tanh: map((x) => x.tanh()),
  Sigmoid: map((x) => x.sigmoid()),
  Relu: map((x) => x.relu()),
  Softplus: map((x) => x.softplus()),
  Softsign: map((x) => x.div(x.abs().add(1))),
  Mish: map((x) => x.mish()),
  HardSwish: map((x) => x.mul(x.div(6).add(0.5).clamp(0, 1))),
  LeakyRelu: operator(1, (node, x) => x.leakyRelu(node.float("alpha", 0.01))),
  Elu: operator(1, (node, x) => x.elu(node.float("alpha", 1))),
  Celu: operator(1, (node, x) => {
    const alpha = node.float("alpha", 1);
    return x.elu(alpha, 1, 1 / alpha);
  }),
  Selu: operator(1, (node, x) => {
    const [alpha, gamma] = [node.float("alpha", 1.6732632423543772), node.float("gamma", 1.0507009873554805)];
    return x.elu(alpha, gamma);
  }),
  ThresholdedRelu: operator(1, (node, x) => x.mul(x.gt(node.float("alpha", 1)).to(x.dtype))),
  HardSigmoid: operator(1, (node, x) =>
    x.mul(node.float("alpha", 0.2)).add(node.float("beta", 0.5)).clamp(0, 1),
  ),
  Gelu: operator(1, (node, x) => x.gelu(node.choice("approximate", ["none", "tanh"]))),
  Shrink: operator(1, (node, x) => {
    const [bias, lambd] = [node.float("bias", 0), node.float("lambd", 0.5)];
    const above = x.gt(lambd).to(x.dtype);
    const below = x.lt(-lambd).to(x.dtype);
    return x.sub(bias).mul(above).add(x.add(bias).mul(below));
  }),
  PRelu: operator(2, (_, x, slope) => operators.where(x.gt(0), x, x.mul(slope))),
  Round: step((x) => x.round()),
  Floor: step((x) => x.floor()),
  Ceil: step((x) => x.ceil()),
  Sign: operator(1, (_, x) => x.sign(), rounds),
  Not: operator(1, (_, x) => x.logicalNot(), keepsMasks),
  IsNaN: operator(1, (_, x) => x.isnan(), compares),
  IsInf: operator(
    1,
    (node, x) => {
      const [above, below] = [node.int("detect_positive", 1), node.int("detect_negative", 1)];
      const high = x.eq(Number.POSITIVE_INFINITY);
      const low = x.eq(Number.NEGATIVE_INFINITY);
      if (above !== 0 && below !== 0) return high.logicalOr(low);
      if (above !== 0) return high;
      return below !== 0 ? low : high.logicalAnd(low);
    },
    compares,
  ),
  Clip: operator([1, 3], clip),
  Where: operator(3, (_, condition, yes, no) => operators.where(condition.to("bool"), yes, no)),
};
