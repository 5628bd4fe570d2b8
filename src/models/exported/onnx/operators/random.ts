import { imageIdRange, normal, operators, type Tensor, uniform } from "../../../../engine/index.js";
import type { NodeContext } from "../../graph.js";
import type { Inputs, NodeView, OnnxOperator, OnnxOperators } from "../node.js";
import { checkedShape, dtypeOf, numbersOf } from "../values.js";

/** Noise of a shape: each image's own where the first axis is that of the images, else the same for all. */
function draw(context: NodeContext, kind: typeof uniform, shape: readonly number[]): Tensor {
  const { noise, stream, device } = context;
  const images = noise.imageIds.size;
  if (shape.length > 0 && shape[0] === images) return kind(noise, shape.slice(1), stream);
  const same = { ...noise, imageIds: imageIdRange(0, 1).to({ device }) };
  return kind(same, shape, stream).reshape(shape);
}

/** Random operator, whose shape and type are attributes, or those of an input. */
const random = (
  least: number,
  most: number,
  run: (node: NodeView, inputs: Inputs, context: NodeContext) => readonly Tensor[],
  shapeOnly = false,
): OnnxOperator => ({ inputs: [least, most], run, traits: { random: true, shapeOnly } });

function sides(node: NodeView, like: Tensor | undefined): readonly number[] {
  return checkedShape(node, like?.shape ?? node.ints("shape") ?? []);
}

function typed(node: NodeView, like: Tensor | undefined, values: Tensor): Tensor {
  const code = node.int("dtype", 0);
  node.float("seed", 0);
  return values.to(code !== 0 ? dtypeOf(node, code) : (like?.dtype ?? "float32"));
}

function normalNoise(node: NodeView, [like]: Inputs, context: NodeContext): readonly Tensor[] {
  const [mean, scale] = [node.float("mean", 0), node.float("scale", 1)];
  const shape = sides(node, like);
  const standard = context.noiseFree ? operators.zeros(shape) : draw(context, normal, shape);
  return [typed(node, like, standard.mul(scale).add(mean))];
}

function uniformNoise(node: NodeView, [like]: Inputs, context: NodeContext): readonly Tensor[] {
  const [low, high] = [node.float("low", 0), node.float("high", 1)];
  const shape = sides(node, like);
  const unit = context.noiseFree ? operators.full(shape, 0.5) : draw(context, uniform, shape);
  return [typed(node, like, unit.mul(high - low).add(low))];
}

/** True with the input's probability, which is what stays of it without noise. */
function bernoulli(node: NodeView, [p]: Inputs, context: NodeContext): readonly Tensor[] {
  if (context.noiseFree) return [typed(node, p, p!)];
  return [typed(node, p, draw(context, uniform, sides(node, p)).lt(p!.to("float32")))];
}

/** Nothing, but where the file says that it is in training mode. */
function dropout(node: NodeView, [x, ratio, training]: Inputs, context: NodeContext): readonly Tensor[] {
  const share = ratio === undefined ? 0.5 : numbersOf(ratio)[0]!;
  node.float("seed", 0);
  const isOn = training !== undefined && numbersOf(training)[0] !== 0 && share > 0 && !context.noiseFree;
  if (!isOn) return node.hasOutput(1) ? [x!, x!.onesLike().to("bool")] : [x!];
  const kept = draw(context, uniform, x!.shape).ge(share);
  return [x!.mul(kept.to(x!.dtype)).div(1 - share), kept];
}

/** Random operators, which draw from the noise of the pass. */
export const randomOperators: OnnxOperators = {
  RandomNormal: random(0, 0, normalNoise),
  RandomUniform: random(0, 0, uniformNoise),
  RandomNormalLike: random(1, 1, normalNoise, true),
  RandomUniformLike: random(1, 1, uniformNoise, true),
  Bernoulli: random(1, 1, bernoulli),
  Dropout: {
    inputs: [1, 3],
    run: dropout,
    traits: (node) => ({ random: (node.node.inputs[2] ?? "") !== "" }),
  },
};
