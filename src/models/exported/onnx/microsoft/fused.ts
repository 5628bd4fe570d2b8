import { operators, type Tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { conv } from "../operators/convolution.js";
import { gemm } from "../operators/matrices.js";
import { maxPool } from "../operators/pooling.js";
import { checkBroadcast } from "../values.js";
import { channelsFirst, channelsLast } from "./layout.js";

/** Activations that are fused into the layer before them, with up to two numbers of theirs. */
const activations: Readonly<Record<string, (x: Tensor, a?: number, b?: number) => Tensor>> = {
  Relu: (x) => x.relu(),
  Tanh: (x) => x.tanh(),
  Sigmoid: (x) => x.sigmoid(),
  LeakyRelu: (x, alpha = 0.01) => x.leakyRelu(alpha),
  Clip: (x, least, most) => x.clamp(least, most),
  HardSigmoid: (x, alpha = 0.2, beta = 0.5) => x.mul(alpha).add(beta).clamp(0, 1),
};

/** The activation that a node names, with its numbers; without one, what it gets. */
function activated(node: NodeView, x: Tensor, numbers: readonly number[]): Tensor {
  const name = node.string("activation", "");
  if (name === "") return x;
  const run = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (run === undefined) throw node.refuse(`its activation must be ${Object.keys(activations).join(", ")}`);
  return run(x, ...numbers);
}

/** Convolution, a tensor added to it, and an activation. */
function fusedConv(node: NodeView, x: Tensor, w: Tensor, b?: Tensor, added?: Tensor): Tensor {
  const made = conv(node, x, w, b);
  return activated(
    node,
    added === undefined ? made : made.add(added),
    node.floats("activation_params") ?? [],
  );
}

function fusedGemm(node: NodeView, a: Tensor, b: Tensor, c?: Tensor): Tensor {
  const names = ["activation_alpha", "activation_beta", "activation_gamma"];
  const numbers = names.flatMap((name) => (node.node.attributes.has(name) ? [node.float(name, 0)] : []));
  return activated(node, gemm(node, a, b, c), numbers);
}

/** A matrix turned, with its first axis brought behind the other batch axes where that is asked for. */
function turned(x: Tensor, matrix: boolean, batch: boolean): Tensor {
  const order = x.shape.map((_, axis) => axis);
  if (order.length < 2) return x;
  const [rows, columns] = [order.pop()!, order.pop()!].reverse() as [number, number];
  const axes =
    batch && order.length > 0 ? [...order.slice(1), rows, order[0]!, columns] : [...order, rows, columns];
  if (matrix) axes.push(...axes.splice(-2).reverse());
  return x.permute(axes);
}

/** alpha A B, with A and B turned where it is asked for. */
function fusedMatMul(node: NodeView, a: Tensor, b: Tensor): Tensor {
  const is = (name: string) => node.int(name, 0) !== 0;
  const left = turned(a, is("transA"), is("transBatchA"));
  const right = turned(b, is("transB"), is("transBatchB"));
  checkBroadcast(
    node,
    [...left.shape.slice(0, -1), 1],
    [...right.shape.slice(0, -2), 1, right.shape.at(-1) ?? 1],
  );
  const alpha = node.float("alpha", 1);
  const product = left.matmul(right);
  return alpha === 1 ? product : product.mul(alpha);
}

/** Normalization of each row of a sum, and the sum. */
function skipLayerNormalization(
  node: NodeView,
  x: Tensor,
  skip: Tensor,
  scale: Tensor,
  bias?: Tensor,
  added?: Tensor,
): readonly (Tensor | null)[] {
  if (node.hasOutput(1) || node.hasOutput(2)) throw node.refuse("its mean and deviation are not given here");
  const both = x.add(skip);
  const sum = added === undefined ? both : both.add(added);
  const epsilon = node.float("epsilon", 1e-12);
  const normal = operators.layerNorm(sum, scale.shape, scale, bias ?? null, epsilon);
  return [normal, null, null, sum];
}

/** Layers and activations that stand in one node. */
export const fused: OnnxOperators = {
  FusedConv: operator([2, 4], fusedConv),
  NhwcFusedConv: operator([2, 4], (node, x, w, b?: Tensor, added?: Tensor) =>
    channelsLast(fusedConv(node, channelsFirst(x), w, b, added && channelsFirst(added))),
  ),
  NhwcMaxPool: operator(1, (node, x) => channelsLast(maxPool(node, channelsFirst(x)) as Tensor)),
  FusedGemm: operator([2, 3], fusedGemm),
  FusedMatMul: operator(2, fusedMatMul),
  TransposeMatMul: operator(2, fusedMatMul),
  Gelu: operator(1, (_, x) => x.gelu()),
  BiasGelu: operator(2, (_, x, bias) => x.add(bias).gelu()),
  FastGelu: operator([1, 2], (_, x, bias?: Tensor) => (bias === undefined ? x : x.add(bias)).gelu("tanh")),
  QuickGelu: operator(1, (node, x) => x.mul(x.mul(node.float("alpha", 1.702)).sigmoid())),
  SkipLayerNormalization: operator([3, 5], skipLayerNormalization),
};
