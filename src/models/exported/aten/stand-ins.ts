import type { DType, Tensor } from "../../../engine/index.js";
import type { GraphNode, GraphValue, NodeContext } from "../graph.js";
import type { Argument } from "./arguments.js";

/** Role of a node for gradients, beside its operator's own backward. */
export type Gradient = Pick<GraphNode, "gradient" | "standIn" | "mask" | "shapeOnly">;

/** Operators that round or cut, whose gradient is zero almost everywhere. */
const rounding = new Set(["round", "floor", "ceil", "trunc", "fix", "sign", "sgn", "heaviside"]);

/** Comparisons, by the sign of the difference that they grow with; 0 for none. */
const comparisons: ReadonlyMap<string, number> = new Map([
  ["gt", 1],
  ["ge", 1],
  ["greater", 1],
  ["greater_equal", 1],
  ["lt", -1],
  ["le", -1],
  ["less", -1],
  ["less_equal", -1],
  ["eq", 0],
  ["ne", 0],
  ["not_equal", 0],
  ["isclose", 0],
]);

/** Operators whose result tells or counts, and has no smooth form. */
const counting = new Set([
  ..."argmax argmin argsort any all one_hot isnan isinf isfinite".split(" "),
  "bitwise_left_shift",
  "bitwise_right_shift",
]);

const logical = new Set("logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor".split(" "));

/** Operators that read no more than the shape of their first argument. */
const shapeOnly = new Set("zeros_like ones_like full_like new_zeros new_ones new_full".split(" "));

/** Operators that move or scale whole numbers, and do to floats in their place the same. */
const passing = new Set(
  (
    "view reshape flatten unflatten permute transpose swapaxes swapdims t squeeze unsqueeze expand " +
    "broadcast_to repeat tile cat concat concatenate stack split chunk unbind narrow slice select flip " +
    "roll pad contiguous clone alias add sub subtract rsub mul multiply div divide true_divide neg " +
    "negative positive clamp clip clamp_min clamp_max maximum minimum abs absolute sum mean amax amin " +
    "where view_as reshape_as expand_as movedim moveaxis"
  ).split(" "),
);

/** Operators that convert types. */
const casts = new Set(["to", "_to_copy", "type_as"]);

/** Moves of data, which keep a mask a mask. */
const keepsMask = new Set(
  (
    "view reshape flatten unflatten permute transpose swapaxes swapdims squeeze unsqueeze expand " +
    "broadcast_to repeat tile slice select contiguous clone alias to _to_copy type_as logical_not " +
    "bitwise_not expand_as view_as reshape_as movedim moveaxis"
  ).split(" "),
);

const floats = (value: Tensor): Tensor => (/float/.test(value.dtype) ? value : value.to("float32"));

/** First input as a float, where it is a tensor. */
function first(inputs: readonly GraphValue[]): Tensor {
  return floats(inputs[0] as Tensor);
}

/** Smooth function behind a comparison: the difference that it takes the sign of. */
function difference(sign: number): NonNullable<GraphNode["standIn"]> {
  return (inputs) => {
    const other = inputs[1] as Tensor | number | undefined;
    const against = other instanceof Object ? floats(other) : other;
    return first(inputs)
      .sub((against ?? 0) as Tensor)
      .mul(sign);
  };
}

/** Returns a stand-in of a choice by a smooth condition, between tensors or numbers. */
function choice(argumentsOf: NodeFacts["argumentsOf"]): NonNullable<GraphNode["standIn"]> {
  return (inputs, context) => {
    const [condition, yes, no] = argumentsOf(inputs, context) as [Tensor, Tensor, Tensor];
    if (yes instanceof Object && no instanceof Object) return condition.mul(yes.sub(no)).add(no);
    return condition.mul(yes).add(condition.mul(-1).add(1).mul(no));
  };
}

/** Facts of a node that its role depends on. */
export interface NodeFacts {
  readonly name: string;
  readonly overload: string;
  /** Type that the node converts to; undefined for other nodes. */
  readonly type?: DType | undefined;
  /** Computes the node's outputs. */
  readonly run: GraphNode["run"];
  /** Arguments of its operator, in the order of the schema. */
  readonly argumentsOf: (inputs: readonly GraphValue[], context: NodeContext) => readonly Argument[];
  /** Division with its `rounding_mode`, as a true division. */
  readonly division?: GraphNode["run"] | undefined;
}

/** Role of an operator for gradients, and what stands in for it in the backward pass. */
export function gradientOf({ name, overload, type, run, argumentsOf, division }: NodeFacts): Gradient {
  const mask = keepsMask.has(name) ? { mask: "keeps" as const } : {};
  if (rounding.has(name)) return { gradient: "blocks", standIn: first };
  if (division !== undefined) {
    return { gradient: "blocks", standIn: (inputs, context) => division(inputs, context)[0] as Tensor };
  }
  const sign = comparisons.get(name);
  if (sign !== undefined) {
    const smooth = sign === 0 ? {} : { standIn: difference(sign) };
    return { gradient: "blocks", mask: "makes", ...smooth };
  }
  if (logical.has(name)) return { gradient: "blocks", mask: "makes" };
  if (name === "logical_not" || name === "bitwise_not")
    return { ...mask, standIn: (given) => first(given).mul(-1) };
  if (name === "detach") return { gradient: "detaches", standIn: first };
  if (counting.has(name)) return { gradient: "blocks" };
  if (shapeOnly.has(name)) return { shapeOnly: true };
  if (casts.has(name) && type !== undefined) {
    if (!/float/.test(type)) return { ...mask, gradient: "blocks", standIn: first };
    return { ...mask, standIn: (inputs) => first(inputs).to(type) };
  }
  if (name === "where" && overload !== "") return { standIn: choice(argumentsOf) };
  if (passing.has(name)) return { ...mask, standIn: (inputs, context) => run(inputs, context)[0] as Tensor };
  return mask;
}
