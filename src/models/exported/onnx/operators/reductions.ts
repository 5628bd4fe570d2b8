import type { Tensor } from "../../../../engine/index.js";
import { chooses, type NodeView, type OnnxOperators, operator } from "../node.js";
import { axesOf, axisOf, isFloat, numbersOf } from "../values.js";

type Reduction = (values: Tensor, axes: readonly number[], keep: boolean) => Tensor;

/** A reduction over axes, which are an input since version 18, and an attribute before. */
const reduction = (reduce: Reduction) =>
  operator([1, 2], (node, values, axes) => {
    const keep = node.int("keepdims", 1) !== 0;
    const noop = node.int("noop_with_empty_axes", 0) !== 0;
    const named = axes === undefined ? node.ints("axes") : numbersOf(axes);
    const rank = values.shape.length;
    const isEmpty = named === undefined || named.length === 0;
    if (isEmpty && noop) return reduce(values.unsqueeze(rank), [rank], false);
    const over = isEmpty ? values.shape.map((_, axis) => axis) : axesOf(node, named, rank);
    if (rank === 0) return reduce(values.reshape([1]), [0], false);
    return reduce(values, over, keep);
  });

/** Products one axis after another: libtorch multiplies along a single one. */
function product(values: Tensor, axes: readonly number[], keep: boolean): Tensor {
  const ordered = [...axes].sort((a, b) => b - a);
  return ordered.reduce((made, axis) => made.prodDim(axis, keep), values).to(values.dtype);
}

const sum: Reduction = (values, axes, keep) => values.sumDim(axes, keep).to(values.dtype);

/** Integers are averaged as ONNX does, toward zero. */
const mean: Reduction = (values, axes, keep) =>
  isFloat(values)
    ? values.meanDim(axes, keep)
    : values.to("float64").meanDim(axes, keep).trunc().to(values.dtype);

/** The largest or least elements; booleans are compared as bytes. */
const extreme =
  (name: "amax" | "amin"): Reduction =>
  (values, axes, keep) => {
    if (axes.some((axis) => values.shape[axis] === 0)) {
      const shape = values.shape.flatMap((side, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [side]));
      const isBoolean = values.dtype === "bool";
      const least = isBoolean ? 0 : Number.NEGATIVE_INFINITY;
      const worst = name === "amax" ? least : isBoolean ? 1 : Number.POSITIVE_INFINITY;
      return values.to("float32").sumDim(axes, keep).reshape(shape).mul(0).add(worst).to(values.dtype);
    }
    return values.dtype === "bool"
      ? values.to("uint8")[name](axes, keep).to("bool")
      : values[name](axes, keep);
  };

/** Index of the largest or least element; among equals the first, or the last. */
const choice = (name: "argmax" | "argmin") =>
  operator(
    1,
    (node: NodeView, values: Tensor) => {
      const axis = axisOf(node, node.int("axis", 0), values.shape.length);
      const keep = node.int("keepdims", 1) !== 0;
      if (node.int("select_last_index", 0) === 0) return values[name](axis, keep);
      const last = values.shape[axis]! - 1;
      return values.flip([axis])[name](axis, keep).neg().add(last);
    },
    chooses,
  );

/** Reductions over axes. */
export const reductions: OnnxOperators = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(extreme("amax")),
  ReduceMin: reduction(extreme("amin")),
  ReduceProd: reduction(product),
  ReduceL1: reduction((values, axes, keep) => sum(values.abs(), axes, keep)),
  ReduceL2: reduction((values, axes, keep) =>
    sum(values.mul(values).to(isFloat(values) ? values.dtype : "float64"), axes, keep)
      .sqrt()
      .to(values.dtype),
  ),
  ReduceSumSquare: reduction((values, axes, keep) => sum(values.mul(values), axes, keep)),
  ReduceLogSum: reduction((values, axes, keep) => sum(values, axes, keep).log()),
  ReduceLogSumExp: reduction((values, axes, keep) => values.logsumexp(axes, keep)),
  ArgMax: choice("argmax"),
  ArgMin: choice("argmin"),
  CumSum: operator(2, (node, values, axis) => {
    const along = axisOf(node, numbersOf(axis)[0] ?? 0, values.shape.length);
    const [exclusive, reverse] = [node.int("exclusive", 0) !== 0, node.int("reverse", 0) !== 0];
    const turned = reverse ? values.flip([along]) : values;
    let sums = turned.cumsum(along);
    if (exclusive) sums = sums.sub(turned);
    return (reverse ? sums.flip([along]) : sums).to(values.dtype);
  }),
  TopK: operator(2, (node, values, count) => {
    const axis = axisOf(node, node.int("axis", -1), values.shape.length);
    const largest = node.int("largest", 1) !== 0;
    node.int("sorted", 1);
    const k = numbersOf(count)[0] ?? 0;
    const side = values.shape[axis]!;
    if (!(k >= 0 && k <= side)) throw node.refuse(`k is ${k}, not 0 to ${side}`);
    // The first among equals, whatever the order that is asked for.
    const [ordered, places] = values.sortStable(true, axis, largest);
    return [ordered.slice(axis, 0, k), places.slice(axis, 0, k)];
  }),
};
