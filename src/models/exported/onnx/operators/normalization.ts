import { operators, type Tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { axisOf, sideAxes } from "../values.js";

/** A list of one number for each channel, to be broadcast. */
const perChannel = (values: Tensor, rank: number) =>
  values.reshape([values.size, ...Array(rank - 2).fill(1)]);

function batchNormalization(
  node: NodeView,
  x: Tensor,
  scale: Tensor,
  bias: Tensor,
  mean: Tensor,
  variance: Tensor,
): Tensor {
  const epsilon = node.float("epsilon", 1e-5);
  node.float("momentum", 0.9);
  if (node.int("training_mode", 0) !== 0) {
    throw node.refuse("it was exported in training mode; call model.eval() before the export");
  }
  if (!mean.requiresGrad && !variance.requiresGrad)
    return operators.batchNorm(x, scale, bias, mean, variance, false, 0, epsilon, false);
  // Statistics of the images themselves: libtorch's operator has no gradient with respect to them.
  const each = (values: Tensor) => perChannel(values, x.shape.length);
  const normal = x.sub(each(mean)).div(each(variance).add(epsilon).sqrt());
  return normal.mul(each(scale)).add(each(bias));
}

/** Mean 0 and variance 1 over the given axes. */
function standardized(x: Tensor, axes: readonly number[], epsilon: number): [Tensor, Tensor, Tensor] {
  const mean = x.meanDim(axes, true);
  const centered = x.sub(mean);
  const inverse = centered.mul(centered).meanDim(axes, true).add(epsilon).sqrt().reciprocal();
  return [centered.mul(inverse), mean, inverse];
}

function layerNormalization(node: NodeView, x: Tensor, scale: Tensor, bias?: Tensor): readonly Tensor[] {
  const axis = axisOf(node, node.int("axis", -1), x.shape.length);
  const epsilon = node.float("epsilon", 1e-5);
  node.int("stash_type", 1);
  const sides = x.shape.slice(axis);
  const fits = [scale, bias].every((one) => one === undefined || one.shape.join() === sides.join());
  if (fits && node.outputs === 1) return [operators.layerNorm(x, sides, scale, bias ?? null, epsilon)];
  const axes = x.shape.map((_, at) => at).slice(axis);
  const [normal, mean, inverse] = standardized(x, axes, epsilon);
  const scaled = normal.mul(scale);
  return [bias === undefined ? scaled : scaled.add(bias), mean, inverse];
}

function instanceNormalization(node: NodeView, x: Tensor, scale: Tensor, bias: Tensor): Tensor {
  const rank = x.shape.length;
  const axes = sideAxes(x.shape);
  const [normal] = standardized(x, axes, node.float("epsilon", 1e-5));
  return normal.mul(perChannel(scale, rank)).add(perChannel(bias, rank));
}

/** Each group of channels by itself; scale and bias are per group before version 21, then per channel. */
function groupNormalization(node: NodeView, x: Tensor, scale: Tensor, bias: Tensor): Tensor {
  const groups = node.int("num_groups", 0);
  const channels = x.shape[1] ?? 0;
  node.int("stash_type", 1);
  const sides = [x.shape[0]!, groups, channels / groups, ...x.shape.slice(2)];
  if (!Number.isInteger(sides[2])) throw node.refuse(`num_groups of ${groups} does not divide ${channels}`);
  const axes = sideAxes(sides);
  const [normal] = standardized(x.reshape(sides), axes, node.float("epsilon", 1e-5));
  if (scale.size === channels) {
    const whole = normal.reshape(x.shape);
    return whole.mul(perChannel(scale, x.shape.length)).add(perChannel(bias, x.shape.length));
  }
  const rank = sides.length;
  return normal.mul(perChannel(scale, rank)).add(perChannel(bias, rank)).reshape(x.shape);
}

/** Division by the squares of neighboring channels. */
function lrn(node: NodeView, x: Tensor): Tensor {
  const size = node.int("size", 1);
  const [alpha, beta, bias] = [node.float("alpha", 1e-4), node.float("beta", 0.75), node.float("bias", 1)];
  if (!(size >= 1 && size < 2 ** 16)) throw node.refuse(`size is ${size}, not 1 to ${2 ** 16 - 1}`);
  const [n, c, ...sides] = x.shape as [number, number, ...number[]];
  const squares = x.mul(x).reshape([n, 1, c, -1]);
  const padded = squares.constantPad([0, 0, Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)], 0);
  const sums = operators.avgPool2d(padded, [size, 1], [1, 1]).reshape([n, c, ...sides]);
  return x.div(sums.mul(alpha).add(bias).pow(beta));
}

/** Division by a norm, where that is not 0. */
function lpNormalization(node: NodeView, x: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", -1), x.shape.length);
  const p = node.int("p", 2);
  const norm = p === 1 ? x.abs().sumDim([axis], true) : x.mul(x).sumDim([axis], true).sqrt();
  return x.div(operators.where(norm.eq(0), norm.onesLike(), norm));
}

/** 1 for the largest element, the first among equals. */
function hardmax(node: NodeView, x: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", -1), x.shape.length);
  return x.zerosLike().scatterValue(axis, x.argmax(axis, true), 1);
}

const axisOfSoftmax = (node: NodeView, x: Tensor) => axisOf(node, node.int("axis", -1), x.shape.length);

/** Normalization by statistics, or to sums of 1. */
export const normalization: OnnxOperators = {
  BatchNormalization: operator(5, batchNormalization),
  LayerNormalization: operator([2, 3], layerNormalization),
  InstanceNormalization: operator(3, instanceNormalization),
  GroupNormalization: operator(3, groupNormalization),
  MeanVarianceNormalization: operator(1, (node, x) => {
    const axes = node.ints("axes") ?? [0, 2, 3];
    const centered = x.sub(x.meanDim(axes, true));
    return centered.div(centered.mul(centered).meanDim(axes, true).sqrt().add(1e-9));
  }),
  LRN: operator(1, lrn),
  LpNormalization: operator(1, lpNormalization),
  Softmax: operator(1, (node, x) => x.softmax(axisOfSoftmax(node, x)), { softmax: true }),
  LogSoftmax: operator(1, (node, x) => x.logSoftmax(axisOfSoftmax(node, x)), { softmax: true }),
  Hardmax: operator(1, hardmax, { gradient: "blocks" }),
};
