import { countText, sizeOf } from "../../../../base/index.js";
import { operators, type Tensor, tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { axesOf, axisOf, beside, checkedShape, numberOf, numbersOf } from "../values.js";

/** Indices from the front, the nearest within a side: what a device does not tell cannot be refused there. */
export function boundedIndices(wide: Tensor, side: number): Tensor {
  return wide.clamp(-side, side - 1).remainder(tensor([side], [], "int64"));
}

/** Indices from the front, within a side. */
function checkedIndices(node: NodeView, indices: Tensor, side: number, data: Tensor): Tensor {
  const wide = indices.to("int64");
  if (wide.size === 0) return beside(data, wide);
  if (side === 0) throw node.refuse("indices of 0 elements");
  if (wide.device !== "cpu") return beside(data, boundedIndices(wide, side));
  const [least, most] = [wide.amin().item(), wide.amax().item()];
  if (least < -side || most >= side)
    throw node.refuse(`indices ${least} to ${most} lie outside of ${countText(side, "element")}`);
  return beside(data, least < 0 ? wide.remainder(tensor([side], [], "int64")) : wide);
}

function gather(node: NodeView, data: Tensor, indices: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", 0), data.shape.length);
  const places = checkedIndices(node, indices, data.shape[axis]!, data);
  const picked = data.indexSelect(axis, places.reshape([places.size]));
  return picked.reshape([...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)]);
}

function gatherElements(node: NodeView, data: Tensor, indices: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", 0), data.shape.length);
  return data.gather(axis, checkedIndices(node, indices, data.shape[axis]!, data));
}

/** One list of indices for each of the leading axes that the last axis of `indices` names. */
function listsOf(node: NodeView, data: Tensor, indices: Tensor, first: number): Tensor[] {
  const rank = indices.shape.length;
  const depth = indices.shape[rank - 1] ?? 0;
  if (rank === 0 || depth + first > data.shape.length)
    throw node.refuse(
      `indices of ${countText(depth, "axis", "axes")} do not fit data of shape [${data.shape.join(", ")}]`,
    );
  return Array.from({ length: depth }, (_, k) =>
    checkedIndices(node, indices.select(rank - 1, k), data.shape[first + k]!, data),
  );
}

function gatherNd(node: NodeView, data: Tensor, indices: Tensor): Tensor {
  const batch = node.int("batch_dims", 0);
  const rank = indices.shape.length;
  const most = Math.min(rank, data.shape.length) - 1;
  if (!(batch >= 0 && batch <= most)) throw node.refuse(`batch_dims is ${batch}, not 0 to ${most}`);
  const lists = listsOf(node, data, indices, batch);
  const sides = indices.shape.slice(0, -1);
  const batches = sides.slice(0, batch).map((side, axis) => {
    const shape = sides.map((_, at) => (at === axis ? side : 1));
    return beside(data, operators.arange(0, side, 1, "int64").reshape(shape));
  });
  return data.index([...batches, ...lists]);
}

/** Reductions of what is written to one place, by libtorch's names. */
const reduce = { mul: "prod", max: "amax", min: "amin" } as const;

function scatterNd(node: NodeView, data: Tensor, indices: Tensor, updates: Tensor): Tensor {
  const mode = node.choice("reduction", ["none", "add", "mul", "max", "min"]);
  const lists = listsOf(node, data, indices, 0);
  if (mode === "none" || mode === "add") return data.indexPut(lists, updates, mode === "add");
  // Places in a matrix with a row for each of what the indices name.
  const named = data.shape.slice(0, lists.length);
  const rest = sizeOf(data.shape.slice(lists.length));
  const rows = lists.reduce((sum, list, k) => sum.mul(named[k]!).add(list), lists[0]!.zerosLike());
  const places = rows.reshape([rows.size, 1]).expand([rows.size, rest]);
  const matrix = data.reshape([-1, rest]);
  return matrix.scatterReduce(0, places, updates.reshape([-1, rest]), reduce[mode]).reshape(data.shape);
}

function scatterElements(node: NodeView, data: Tensor, indices: Tensor, updates: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", 0), data.shape.length);
  const mode = node.choice("reduction", ["none", "add", "mul", "max", "min"]);
  const places = checkedIndices(node, indices, data.shape[axis]!, data);
  if (mode === "none") return data.scatter(axis, places, updates);
  return mode === "add"
    ? data.scatterAdd(axis, places, updates)
    : data.scatterReduce(axis, places, updates, reduce[mode]);
}

/** Parts of axes, with steps that may go backwards. */
function slice(
  node: NodeView,
  data: Tensor,
  starts: Tensor,
  ends: Tensor,
  axes?: Tensor,
  steps?: Tensor,
): Tensor {
  const [from, to] = [numbersOf(starts), numbersOf(ends)];
  const over = axesOf(node, axes === undefined ? from.map((_, i) => i) : numbersOf(axes), data.shape.length);
  const by = steps === undefined ? from.map(() => 1) : numbersOf(steps);
  if ([to, over, by].some((list) => list.length !== from.length) || by.includes(0)) {
    throw node.refuse("starts, ends, axes and steps must be as many, and no step 0");
  }
  return over.reduce((made, axis, i) => {
    const side = made.shape[axis]!;
    const place = (at: number, least: number, most: number) =>
      Math.max(least, Math.min(most, at < 0 ? at + side : at));
    if (by[i]! > 0) {
      const start = place(from[i]!, 0, side);
      return made.slice(axis, start, Math.max(start, place(to[i]!, 0, side)), Math.min(by[i]!, 2 ** 40));
    }
    if (side === 0) return made;
    // Backwards is forwards in the flipped tensor, whose element k is side - 1 - k. A start before the first
    // element is that element, other than in NumPy.
    const [start, end] = [place(from[i]!, 0, side - 1), place(to[i]!, -1, side - 1)];
    const first = side - 1 - start;
    return made.flip([axis]).slice(axis, first, Math.max(first, side - 1 - end), Math.min(-by[i]!, 2 ** 40));
  }, data);
}

function oneHot(node: NodeView, indices: Tensor, depth: Tensor, values: Tensor): Tensor {
  const count = numberOf(node, "depth", depth);
  const rank = indices.shape.length + 1;
  const axis = axisOf(node, node.int("axis", -1), rank);
  checkedShape(node, [count, ...indices.shape]);
  const classes = operators
    .arange(0, count, 1, "int64")
    .reshape(Array.from({ length: rank }, (_, at) => (at === axis ? count : 1)));
  const whole = indices.to("int64");
  const inside = whole.ge(-count).logicalAnd(whole.lt(count));
  const places = operators.where(inside, whole.remainder(tensor([count], [], "int64")), whole.fullLike(-1));
  const hot = places.unsqueeze(axis).eq(beside(indices, classes));
  const [off, on] = [values.select(0, 0), values.select(0, 1)];
  return operators.where(hot, beside(indices, on), beside(indices, off));
}

/** Operators that pick elements, or write some. */
export const indexing: OnnxOperators = {
  Gather: operator(2, gather),
  GatherElements: operator(2, gatherElements),
  GatherND: operator(2, gatherNd),
  ScatterND: operator(3, scatterNd),
  ScatterElements: operator(3, scatterElements),
  Slice: operator([3, 5], slice),
  OneHot: operator(3, oneHot, { gradient: "blocks" }),
};
