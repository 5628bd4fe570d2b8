import { keep, operators, type Tensor, tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { axesOf, beside, checkedShape, intTensor, numbersOf } from "../values.js";
import { type Interpolation, nearestPlaces, weightsOf } from "./interpolation.js";

/** One axis that changes its number of elements. */
interface Change {
  readonly axis: number;
  readonly side: number;
  readonly goal: number;
  readonly scale: number;
  /** Part of the axis that is looked at, in shares of it. */
  readonly roi: readonly [start: number, end: number];
}

const interpolations = new WeakMap<NodeView, Map<string, { weights: Tensor; inside: Tensor }>>();

const policies = ["stretch", "not_larger", "not_smaller"] as const;
type Policy = (typeof policies)[number];

/** Sides that are asked for, by the policy on the ratio of an image's sides. */
function sizesToScales(policy: Policy, sides: readonly number[], sizes: readonly number[]) {
  const scales = sizes.map((size, i) => size / sides[i]!);
  if (policy === "stretch") return { goals: sizes, scales };
  const scale = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return { goals: sides.map((side) => Math.round(scale * side)), scales: scales.map(() => scale) };
}

function changesOf(node: NodeView, x: Tensor, roi?: Tensor, scales?: Tensor, sizes?: Tensor): Change[] {
  const rank = x.shape.length;
  const policy = node.choice<Policy>("keep_aspect_ratio_policy", [...policies]);
  const axes = axesOf(node, node.ints("axes") ?? x.shape.map((_, axis) => axis), rank);
  const sides = axes.map((axis) => x.shape[axis]!);
  const [by, to] = [scales, sizes].map((given) => (given === undefined ? [] : numbersOf(given)));
  const known = to!.length > 0 ? sizesToScales(policy, sides, to!) : undefined;
  const factors = known?.scales ?? by!;
  // In float32, as runtimes multiply: a scale of 9 / 7, rounded, makes 27 elements of 21.
  const goals = known?.goals ?? factors.map((scale, i) => Math.floor(Math.fround(sides[i]! * scale)));
  const fits =
    factors.length === axes.length && goals.every((goal) => goal >= 1) && factors.every((one) => one > 0);
  if (!fits) throw node.refuse("neither scales nor sizes fit its axes");
  const parts = roi === undefined ? [] : numbersOf(roi);
  return axes.map((axis, i) => ({
    axis,
    side: sides[i]!,
    goal: goals[i]!,
    scale: factors[i]!,
    roi: [parts[i] ?? 0, parts[axes.length + i] ?? 1],
  }));
}

function interpolationOf(node: NodeView): Interpolation {
  return {
    mode: node.choice("mode", ["nearest", "linear", "cubic"]),
    coordinates: node.choice("coordinate_transformation_mode", [
      "half_pixel",
      "half_pixel_symmetric",
      "pytorch_half_pixel",
      "align_corners",
      "asymmetric",
      "tf_crop_and_resize",
    ]),
    nearest: node.choice("nearest_mode", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
    cubic: node.float("cubic_coeff_a", -0.75),
    excludeOutside: node.int("exclude_outside", 0) !== 0,
    antialias: node.int("antialias", 0) !== 0,
  };
}

/** Weights of an axis, made once for a node. */
function cachedWeights(node: NodeView, kind: Interpolation, change: Change) {
  const cache = interpolations.get(node) ?? new Map<string, { weights: Tensor; inside: Tensor }>();
  interpolations.set(node, cache);
  const key = JSON.stringify(change);
  let found = cache.get(key);
  if (found === undefined) {
    checkedShape(node, [change.side, change.goal]);
    const { weights, inside } = weightsOf(kind, change);
    found = {
      weights: keep(tensor(weights, [change.goal, change.side])),
      inside: keep(tensor(inside, [change.goal])),
    };
    cache.set(key, found);
  }
  return found;
}

/** Interpolates along one axis after another: each is a product with a matrix of weights. */
function resize(node: NodeView, x: Tensor, roi?: Tensor, scales?: Tensor, sizes?: Tensor): Tensor {
  const kind = interpolationOf(node);
  const outside = node.float("extrapolation_value", 0);
  const crops = kind.coordinates === "tf_crop_and_resize";
  const all = changesOf(node, x, roi, scales, sizes);
  const changes = all.filter(({ side, goal, scale, roi: [from, to] }) => {
    return goal !== side || scale !== 1 || (crops && (from !== 0 || to !== 1));
  });
  const sidesAfter = x.shape.map((side, axis) => changes.find((one) => one.axis === axis)?.goal ?? side);
  checkedShape(node, sidesAfter);
  if (kind.mode === "nearest" && !crops) {
    return changes.reduce(
      (made, change) => made.indexSelect(change.axis, beside(x, intTensor(nearestPlaces(kind, change)))),
      x,
    );
  }
  let inside: Tensor | undefined;
  const made = changes.reduce((values, change) => {
    const cached = cachedWeights(node, kind, change);
    const last = values.shape.length - 1;
    const order = values.shape.map((_, axis) =>
      axis === change.axis ? last : axis === last ? change.axis : axis,
    );
    const weights = beside(values, cached.weights.to(values.dtype));
    const shape = values.shape.map((_, axis) => (axis === change.axis ? change.goal : 1));
    const own = beside(values, cached.inside.to(values.dtype)).reshape(shape);
    inside = inside === undefined ? own : inside.mul(own);
    return values
      .permute(order)
      .matmul(weights.permute([1, 0]))
      .permute(order);
  }, x);
  if (!crops || inside === undefined) return made;
  return operators.where(inside.gt(0), made, made.fullLike(outside));
}

/** Images of another size. */
export const resizing: OnnxOperators = {
  Resize: operator([1, 4], resize),
};
