import { operators, type Tensor } from "../../../../engine/index.js";
import type { NodeContext } from "../../graph.js";
import { bernoulliNoise, normalNoise, uniformNoise } from "../../noise.js";
import type { Inputs, NodeView, OnnxOperator, OnnxOperators } from "../node.js";
import { checkedShape, dtypeOf, numbersOf } from "../values.js";

/** Random operator, whose shape and type are attributes, or those of an input. */
const random = (
  inputs: number,
  run: (node: NodeView, like: Tensor | undefined, context: NodeContext) => Tensor,
  shapeOnly = false,
): OnnxOperator => ({
  inputs: [inputs, inputs],
  run: (node, [like], context) => [run(node, like, context)],
  traits: { random: true, shapeOnly },
});

/** Noise of a node. In trials, which find out whether its first axis is that of the images, any will do. */
function formOf(node: NodeView, like: Tensor | undefined, { noisePerImage = false }: NodeContext) {
  return { shape: checkedShape(node, like?.shape ?? node.ints("shape") ?? []), perImage: noisePerImage };
}

function typed(node: NodeView, like: Tensor | undefined, values: Tensor): Tensor {
  const code = node.int("dtype", 0);
  // The file's seed would give every pass the same noise: noise is keyed by the pass.
  node.float("seed", 0);
  return values.to(code !== 0 ? dtypeOf(node, code) : (like?.dtype ?? "float32"));
}

function normals(node: NodeView, like: Tensor | undefined, context: NodeContext): Tensor {
  const [mean, scale] = [node.float("mean", 0), node.float("scale", 1)];
  return typed(
    node,
    like,
    normalNoise(formOf(node, like, context), context)
      .mul(scale)
      .add(mean),
  );
}

function uniforms(node: NodeView, like: Tensor | undefined, context: NodeContext): Tensor {
  const [low, high] = [node.float("low", 0), node.float("high", 1)];
  const unit = uniformNoise(formOf(node, like, context), context);
  return typed(node, like, unit.mul(high - low).add(low));
}

/** Classes drawn with replacement, by the logarithms of their chances. */
function classes(node: NodeView, logarithms: Tensor | undefined, context: NodeContext): Tensor {
  const [rows = 0, count = 0] = logarithms!.shape;
  if (logarithms!.shape.length !== 2 || count === 0)
    throw node.refuse(`its chances are of shape [${logarithms!.shape.join(", ")}], not [rows, classes]`);
  const shape = checkedShape(node, [rows, node.int("sample_size", 1)]);
  node.float("seed", 0);
  const chances = logarithms!.detach().to("float64");
  const ends = chances
    .sub(chances.amax([1], true))
    .exp()
    .cumsum(1);
  const { noisePerImage: perImage = false } = context;
  const points = uniformNoise({ shape, perImage }, context)
    .to("float64")
    .mul(ends.slice(1, count - 1, count));
  const drawn = operators.searchsorted(ends, points, false, true).clamp(0, count - 1);
  return drawn.to(dtypeOf(node, node.int("dtype", 6)));
}

/** Nothing, but where the file says that it is in training mode. */
function dropout(node: NodeView, [x, ratio, training]: Inputs, context: NodeContext): readonly Tensor[] {
  const share = ratio === undefined ? 0.5 : numbersOf(ratio)[0]!;
  node.int("seed", 0);
  node.float("ratio", 0.5);
  const isOn = training !== undefined && numbersOf(training)[0] !== 0 && share > 0 && !context.noiseFree;
  if (!isOn) return node.hasOutput(1) ? [x!, x!.onesLike().to("bool")] : [x!];
  const kept = bernoulliNoise(formOf(node, x, context), 1 - share, context);
  return [x!.mul(kept.to(x!.dtype)).div(1 - share), kept.to("bool")];
}

/** Random operators, which draw from the noise of the pass. */
export const randomOperators: OnnxOperators = {
  RandomNormal: random(0, normals),
  RandomUniform: random(0, uniforms),
  RandomNormalLike: random(1, normals, true),
  RandomUniformLike: random(1, uniforms, true),
  Bernoulli: random(1, (node, p, context) => {
    return typed(node, p, bernoulliNoise(formOf(node, p, context), p!.to("float32"), context));
  }),
  Multinomial: {
    inputs: [1, 1],
    run: (node, [logarithms], context) => [classes(node, logarithms, context)],
    traits: { random: true, gradient: "blocks" },
  },
  Dropout: {
    inputs: [1, 3],
    run: dropout,
    traits: (node) => ({ random: (node.node.inputs[2] ?? "") !== "" }),
  },
};
