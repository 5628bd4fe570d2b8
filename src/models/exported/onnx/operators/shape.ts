import { countText, sizeOf } from "../../../../base/index.js";
import { operators, type Tensor } from "../../../../engine/index.js";
import { anyNumber, keepsMasks, type NodeView, type OnnxOperators, operator } from "../node.js";
import { axesOf, axisOf, checkedShape, intTensor, numbersOf } from "../values.js";

/** A tensor of the same elements, where 0 is a side of the input and -1 what is left. */
function reshape(node: NodeView, values: Tensor, shape: Tensor): Tensor {
  const allowZero = node.int("allowzero", 0) !== 0;
  const wanted = numbersOf(shape).map((side, i) => {
    if (side !== 0 || allowZero) return side;
    const own = values.shape[i];
    if (own === undefined) throw node.refuse(`side ${i} is to stay as it is, of ${values.shape.length}`);
    return own;
  });
  checkedShape(
    node,
    wanted.map((side) => (side === -1 ? 1 : side)),
  );
  return values.reshape(wanted);
}

function flatten(node: NodeView, values: Tensor): Tensor {
  const rank = values.shape.length;
  const axis = node.int("axis", 1);
  if (!(axis >= -rank && axis <= rank)) {
    throw node.refuse(`axis ${axis} is not one of ${countText(rank, "axis", "axes")}`);
  }
  const first = axis < 0 ? axis + rank : axis;
  return values.reshape([sizeOf(values.shape.slice(0, first)), sizeOf(values.shape.slice(first))]);
}

/** Axes that are an input since version 13, or an attribute. */
function namedAxes(node: NodeView, axes: Tensor | undefined): readonly number[] | undefined {
  return axes === undefined ? node.ints("axes") : numbersOf(axes);
}

function squeeze(node: NodeView, values: Tensor, axes?: Tensor): Tensor {
  const named = namedAxes(node, axes);
  const rank = values.shape.length;
  const dropped =
    named === undefined
      ? values.shape.flatMap((side, axis) => (side === 1 ? [axis] : []))
      : axesOf(node, named, rank);
  const wrong = dropped.find((axis) => values.shape[axis] !== 1);
  if (wrong !== undefined) throw node.refuse(`axis ${wrong} has ${values.shape[wrong]} elements, not 1`);
  return values.reshape(values.shape.filter((_, axis) => !dropped.includes(axis)));
}

function unsqueeze(node: NodeView, values: Tensor, axes?: Tensor): Tensor {
  const named = namedAxes(node, axes) ?? [];
  const made = axesOf(node, named, values.shape.length + named.length);
  const left = [...values.shape];
  const count = left.length + made.length;
  return values.reshape(
    Array.from({ length: count }, (_, axis) => (made.includes(axis) ? 1 : left.shift()!)),
  );
}

function transpose(node: NodeView, values: Tensor): Tensor {
  const order = node.ints("perm") ?? values.shape.map((_, axis) => values.shape.length - 1 - axis);
  if (order.length !== values.shape.length) {
    throw node.refuse(`perm has ${countText(order.length, "axis", "axes")} for ${values.shape.length}`);
  }
  return values.permute(axesOf(node, order, order.length));
}

/** Parts along an axis: of given sides, or as many as there are outputs. */
function split(node: NodeView, values: Tensor, sides?: Tensor): readonly Tensor[] {
  const axis = axisOf(node, node.int("axis", 0), values.shape.length);
  const whole = values.shape[axis]!;
  const count = node.int("num_outputs", node.outputs);
  const given = sides === undefined ? node.ints("split") : numbersOf(sides);
  if (count !== node.outputs)
    throw node.refuse(`num_outputs is ${count}, and it has ${countText(node.outputs, "output")}`);
  const side = Math.ceil(whole / Math.max(1, count));
  const each =
    given ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(side, whole - i * side)));
  const sum = each.reduce((total, one) => total + one, 0);
  if (sum !== whole || each.length !== node.outputs || each.some((one) => one < 0)) {
    const outputs = countText(node.outputs, "output");
    throw node.refuse(`parts of [${each.slice(0, 20).join(", ")}] do not make ${whole} for ${outputs}`);
  }
  let start = 0;
  return each.map((one) => {
    start += one;
    return values.slice(axis, start - one, start);
  });
}

/** Broadcast to a shape, in which 1 keeps the input's side. */
function expand(node: NodeView, values: Tensor, shape: Tensor): Tensor {
  const wanted = [...numbersOf(shape)];
  const rank = Math.max(wanted.length, values.shape.length);
  const own = [...Array<number>(rank - values.shape.length).fill(1), ...values.shape];
  const asked = [...Array<number>(rank - wanted.length).fill(1), ...wanted];
  const sides = own.map((side, axis) => (asked[axis] === 1 ? side : asked[axis]!));
  return values.expand(checkedShape(node, sides));
}

/** Sides of the input, from one axis up to another. */
function shapeOf(node: NodeView, values: Tensor): Tensor {
  const rank = values.shape.length;
  const [start, end] = [node.int("start", 0), node.int("end", rank)];
  const place = (axis: number) => Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
  return intTensor(values.shape.slice(place(start), Math.max(place(start), place(end))));
}

/** Blocks of channels become pixels. */
function depthToSpace(node: NodeView, values: Tensor): Tensor {
  const block = node.int("blocksize", 1);
  const mode = node.choice("mode", ["DCR", "CRD"]);
  const [n, c, h, w] = values.shape as [number, number, number, number];
  const channels = c / block ** 2;
  if (values.shape.length !== 4 || !Number.isInteger(channels))
    throw node.refuse(`blocks of ${block} do not fit images of shape [${values.shape.join(", ")}]`);
  const parts = mode === "DCR" ? [n, block, block, channels, h, w] : [n, channels, block, block, h, w];
  const order = mode === "DCR" ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return values
    .reshape(parts)
    .permute(order)
    .reshape([n, channels, h * block, w * block]);
}

/** Pixels become blocks of channels. */
function spaceToDepth(node: NodeView, values: Tensor): Tensor {
  const block = node.int("blocksize", 1);
  const mode = node.choice("mode", ["DCR", "CRD"]);
  const [n, c, h, w] = values.shape as [number, number, number, number];
  const [rows, columns] = [h / block, w / block];
  const fits = values.shape.length === 4 && Number.isInteger(rows) && Number.isInteger(columns);
  if (!fits) throw node.refuse(`blocks of ${block} do not fit images of shape [${values.shape.join(", ")}]`);
  const parts = values.reshape([n, c, rows, block, columns, block]);
  const order = mode === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  return parts.permute(order).reshape([n, c * block ** 2, rows, columns]);
}

/** Operators that arrange elements. */
export const shape: OnnxOperators = {
  Reshape: operator(2, reshape, keepsMasks),
  Flatten: operator(1, flatten, keepsMasks),
  Squeeze: operator([1, 2], squeeze, keepsMasks),
  Unsqueeze: operator([1, 2], unsqueeze, keepsMasks),
  Transpose: operator(1, transpose, keepsMasks),
  Split: operator([1, 2], split, keepsMasks),
  Expand: operator(2, expand, keepsMasks),
  Concat: operator([1, anyNumber], (node, ...inputs) => {
    const axis = axisOf(node, node.int("axis", 0), inputs[0]!.shape.length);
    return inputs.length === 1 ? inputs[0]! : operators.cat(inputs, axis);
  }),
  Tile: operator(2, (node, values, repeats) => {
    const times = numbersOf(repeats);
    if (times.length !== values.shape.length)
      throw node.refuse(
        `${countText(times.length, "repeat")} for ${countText(values.shape.length, "axis", "axes")}`,
      );
    checkedShape(
      node,
      values.shape.map((side, axis) => side * times[axis]!),
    );
    return values.repeat(times);
  }),
  Shape: operator(1, shapeOf, { shapeOnly: true }),
  Size: operator(1, (_, values) => operators.full([], values.size, "int64"), { shapeOnly: true }),
  DepthToSpace: operator(1, depthToSpace),
  SpaceToDepth: operator(1, spaceToDepth),
  Trilu: operator([1, 2], (node, values, diagonal) => {
    const k = diagonal === undefined ? 0 : (numbersOf(diagonal)[0] ?? 0);
    return node.int("upper", 1) !== 0 ? values.triu(k) : values.tril(k);
  }),
};
