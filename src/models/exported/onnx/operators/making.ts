import { operators, type Tensor, tensor } from "../../../../engine/index.js";
import { onnxType } from "../../../../files/index.js";
import { narrowed } from "../narrow.js";
import {
  compares,
  keepsMasks,
  type NodeTraits,
  type NodeView,
  type OnnxOperators,
  operator,
  rounds,
} from "../node.js";
import {
  axesOf,
  beside,
  checkedShape,
  dtypeOf,
  intTensor,
  mostElements,
  numberOf,
  numbersOf,
  tensorOf,
} from "../values.js";
import { padList } from "./window.js";

function constant(node: NodeView): Tensor {
  const value = node.tensor("value");
  if (value !== undefined) return tensorOf(node.world.elements(value));
  const [floats, ints] = [node.floats("value_floats"), node.ints("value_ints")];
  if (floats !== undefined) return tensor(floats);
  if (ints !== undefined) return intTensor(ints);
  const [float, int] = [node.float("value_float", Number.NaN), node.int("value_int", Number.NaN)];
  if (!Number.isNaN(int)) return intTensor([int]).reshape([]);
  if (!node.node.attributes.has("value_float"))
    throw node.refuse("its value is neither numbers nor a tensor");
  return tensor(float);
}

function cast(node: NodeView, values: Tensor, code: number): Tensor {
  const dtype = dtypeOf(node, code);
  const saturate = node.int("saturate", 1) !== 0;
  if (dtype === "bool") return values.ne(0);
  return narrowed(onnxType(code), values.to(dtype), saturate);
}

function castLike(node: NodeView, values: Tensor, like: Tensor): Tensor {
  const saturate = node.int("saturate", 1) !== 0;
  return like.dtype === "bool"
    ? values.ne(0)
    : narrowed(node.typeOfInput(1), values.to(like.dtype), saturate);
}

/** Casts to integers and floats of 8 bits round, casts to booleans compare. */
function castTraits(node: NodeView): NodeTraits {
  const type = onnxType(node.int("to", 1));
  if (type === "bool") return compares;
  return type !== undefined && /int|float8/.test(type)
    ? { ...rounds, mask: "keeps" }
    : { standIn: "first", mask: "keeps" };
}

function range(node: NodeView, start: Tensor, limit: Tensor, delta: Tensor): Tensor {
  const [first, end, step] = [start, limit, delta].map((one, i) =>
    numberOf(node, ["start", "limit", "delta"][i]!, one),
  );
  const count = Math.max(0, Math.ceil((end! - first!) / step!));
  if (!(count <= mostElements)) {
    throw node.refuse(
      `a range from ${first} to ${end} by ${step} has ${count} elements, not ${mostElements} or fewer`,
    );
  }
  return operators.arange(0, count, 1, start.dtype).mul(delta).add(start);
}

/** Places in the input of the elements of a padded axis. */
function paddedPlaces(node: NodeView, mode: string, side: number, before: number, after: number): number[] {
  if (side < 1) throw node.refuse("an axis without elements cannot be padded");
  if (mode === "reflect" && Math.max(before, after) >= side)
    throw node.refuse(
      `pads of ${before} and ${after} reflect a side of ${side}: each must be smaller than it`,
    );
  return Array.from({ length: Math.max(0, before + side + after) }, (_, i) => {
    const at = i - before;
    if (mode === "edge") return Math.max(0, Math.min(side - 1, at));
    if (mode === "wrap") return ((at % side) + side) % side;
    return at < 0 ? -at : at >= side ? 2 * (side - 1) - at : at;
  });
}

function pad(node: NodeView, x: Tensor, pads: Tensor, value?: Tensor, axes?: Tensor): Tensor {
  const mode = node.choice("mode", ["constant", "reflect", "edge", "wrap"]);
  const rank = x.shape.length;
  const over = axes === undefined ? x.shape.map((_, axis) => axis) : axesOf(node, numbersOf(axes), rank);
  const given = numbersOf(pads);
  if (given.length !== 2 * over.length) throw node.refuse(`${given.length} pads for ${over.length} axes`);
  const before = x.shape.map((_, axis) => given[over.indexOf(axis)] ?? 0);
  const after = x.shape.map((_, axis) =>
    over.includes(axis) ? given[over.length + over.indexOf(axis)]! : 0,
  );
  checkedShape(
    node,
    x.shape.map((side, axis) => Math.max(0, before[axis]! + side + after[axis]!)),
  );
  if (mode === "constant") {
    const list = padList(before, after);
    const fill = value === undefined || value.size === 0 ? 0 : numberOf(node, "constant_value", value);
    return x.dtype === "bool" ? x.to("uint8").constantPad(list, fill).to("bool") : x.constantPad(list, fill);
  }
  return over.reduce((made, axis) => {
    if (before[axis] === 0 && after[axis] === 0) return made;
    const places = paddedPlaces(node, mode, x.shape[axis]!, before[axis]!, after[axis]!);
    return made.indexSelect(axis, beside(x, intTensor(places)));
  }, x);
}

function constantOfShape(node: NodeView, sides: Tensor): Tensor {
  const value = node.tensor("value");
  const wanted = checkedShape(node, numbersOf(sides));
  if (value === undefined) return operators.zeros(wanted, "float32");
  const fill = tensorOf(node.world.elements(value));
  if (fill.size !== 1) throw node.refuse("its value must be one number");
  return fill.reshape([]).expand(wanted);
}

function eyeLike(node: NodeView, like: Tensor): Tensor {
  const code = node.int("dtype", 0);
  const [rows, columns] = like.shape;
  if (like.shape.length !== 2) throw node.refuse("it makes matrices only");
  const k = node.int("k", 0);
  const difference = operators
    .arange(0, columns!, 1, "int64")
    .sub(operators.arange(0, rows!, 1, "int64").unsqueeze(1));
  return difference.eq(k).to(code === 0 ? like.dtype : dtypeOf(node, code));
}

/** Operators that make tensors, and change their type. */
export const making: OnnxOperators = {
  Constant: operator(0, constant),
  ConstantOfShape: operator(1, constantOfShape),
  EyeLike: operator(1, eyeLike, { shapeOnly: true }),
  Range: operator(3, range),
  Cast: operator(1, (node, values) => cast(node, values, node.int("to", 0)), castTraits),
  CastLike: operator(2, castLike, keepsMasks),
  Pad: operator([2, 4], pad),
};
