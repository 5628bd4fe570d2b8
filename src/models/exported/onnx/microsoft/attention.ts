import type { Tensor } from "../../../../engine/index.js";
import { type Inputs, type NodeView, type OnnxOperators, operator } from "../node.js";
import { matMulInteger } from "../operators/quantization.js";

/** Queries, keys and values of all tokens, (N, tokens, width) each. */
type Projections = readonly [queries: Tensor, keys: Tensor, values: Tensor];

/** Tokens that are weighed by the softmax of their products, in heads side by side. */
function attend(node: NodeView, [queries, keys, values]: Projections, added?: Tensor): Tensor {
  const heads = node.int("num_heads", 0);
  const [n, tokens, width] = queries.shape as [number, number, number];
  const fits =
    Number.isInteger(width / heads) && [queries, keys, values].every(({ shape }) => shape.length === 3);
  if (!fits) throw node.refuse(`num_heads of ${heads} does not fit shapes (N, tokens, width)`);
  node.float("mask_filter_value", -10000);
  for (const name of ["unidirectional", "do_rotary", "past_present_share_buffer"]) {
    if (node.int(name, 0) !== 0) throw node.refuse(`${name} is not known here`);
  }
  if (node.hasOutput(1)) throw node.refuse("it gives its keys and values, which is not known here");
  const scale = node.float("scale", 0) || 1 / Math.sqrt(width / heads);
  const inHeads = (x: Tensor) =>
    x.reshape([n, x.shape[1]!, heads, x.shape[2]! / heads]).permute([0, 2, 1, 3]);
  const products = inHeads(queries)
    .matmul(inHeads(keys).permute([0, 1, 3, 2]))
    .mul(scale);
  const weights = (added === undefined ? products : products.add(added)).softmax(3);
  return weights.matmul(inHeads(values)).permute([0, 2, 1, 3]).reshape([n, tokens, values.shape[2]!]);
}

/** Parts of a product with the weights of queries, keys and values side by side. */
function apart(node: NodeView, x: Tensor): Projections {
  const third = (x.shape[2] ?? 0) / 3;
  const sizes = node.ints("qkv_hidden_sizes") ?? [third, third, third];
  const [q, k, v] = sizes as [number, number, number];
  const fits = sizes.length === 3 && sizes.every((size) => Number.isInteger(size) && size > 0);
  if (!fits || x.shape.length !== 3 || q !== k || q + k + v !== x.shape[2]) {
    throw node.refuse(`its weights do not give queries, keys and values: [${x.shape.join(", ")}]`);
  }
  return [x.slice(2, 0, q), x.slice(2, q, q + k), x.slice(2, q + k, q + k + v)];
}

/** Refuses masks and states of earlier tokens, which classifiers of images have none of. */
function refuseInputs(node: NodeView, places: readonly number[]): void {
  const given = places.some((at) => (node.node.inputs[at] ?? "") !== "");
  if (given) throw node.refuse("masks and past states of attention are not known here");
}

function attentionOf(node: NodeView, inputs: Inputs): Tensor {
  const [x, weights, bias, , , added] = inputs as readonly Tensor[];
  refuseInputs(node, [3, 4, 6]);
  const product = x!.matmul(weights!);
  return attend(node, apart(node, bias === undefined ? product : product.add(bias)), added);
}

function multiHeadAttention(node: NodeView, inputs: Inputs): Tensor {
  const [queries, keys, values, bias, , added] = inputs as readonly Tensor[];
  refuseInputs(node, [4, 6, 7, 8, 9]);
  const all: Projections = [queries!, keys!, values!];
  if (bias === undefined) return attend(node, all, added);
  const widths = all.map(({ shape }) => shape[2] ?? 0) as [number, number, number];
  const starts = [0, widths[0], widths[0] + widths[1]];
  const own = (i: number) => bias.slice(0, starts[i]!, starts[i]! + widths[i]!);
  return attend(node, [queries!.add(own(0)), keys!.add(own(1)), values!.add(own(2))], added);
}

/** Attention of integers with a weight of integers, whose product is real again. */
function quantizedAttention(node: NodeView, inputs: Inputs): Tensor {
  const [x, weights, bias, scale, weightScale, , zero, weightZero] = inputs as readonly Tensor[];
  refuseInputs(node, [5, 8]);
  const factor = scale!.mul(weightScale!);
  const product = matMulInteger(x!, weights!, zero, weightZero).to(bias!.dtype).mul(factor).add(bias!);
  return attend(node, apart(node, product));
}

/** Attention in one node. */
export const attention: OnnxOperators = {
  Attention: operator([2, 7], (node, ...inputs) => attentionOf(node, inputs)),
  MultiHeadAttention: operator([3, 10], (node, ...inputs) => multiHeadAttention(node, inputs)),
  QAttention: operator([5, 9], (node, ...inputs) => quantizedAttention(node, inputs)),
};
