import { operators, type Tensor } from "../../../../engine/index.js";
import {
  anyNumber,
  type Inputs,
  type NodeTraits,
  type NodeView,
  type OnnxOperators,
  operator,
} from "../node.js";
import { averagePool } from "../operators/pooling.js";
import {
  dynamicRange,
  linearConv,
  matMulInteger,
  quantization,
  quantizes,
} from "../operators/quantization.js";
import { axisOf, sideAxes } from "../values.js";
import { channelsFirst, channelsLast } from "./layout.js";

/** Numbers that integers stand for: these lie at a place, their scale and zero point behind it. */
function real(inputs: Inputs, place: number): Tensor {
  const [x, scale, zero] = inputs.slice(place, place + 3) as [Tensor, Tensor, Tensor];
  return x.to("float64").sub(zero.to("float64")).mul(scale.to("float64"));
}

/** An operator on one tensor of integers: its scale and zero point, then those of the result. */
const map = (run: (node: NodeView, x: Tensor) => Tensor) =>
  quantizes([5, 5], 3, (node, inputs) => run(node, real(inputs, 0)));

/** An operator on two. */
const pair = (run: (a: Tensor, b: Tensor) => Tensor) =>
  quantizes([8, 8], 6, (_, inputs) => run(real(inputs, 0), real(inputs, 3)));

/** The same on images with their channels first, where a node has them last. */
function inLayout(node: NodeView, x: Tensor, run: (x: Tensor) => Tensor): Tensor {
  return node.int("channels_last", 0) === 0 ? run(x) : channelsLast(run(channelsFirst(x)));
}

function softmax(node: NodeView, x: Tensor): Tensor {
  const axis = axisOf(node, node.int("axis", -1), x.shape.length);
  if (node.int("opset", 13) >= 13) return x.softmax(axis);
  // Before version 13 all axes from the given one on were one.
  return x.flatten(axis).softmax(axis).reshape(x.shape);
}

function concat(node: NodeView, inputs: Inputs): Tensor {
  const parts = Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, i) =>
    real(inputs, 2 + 3 * i),
  );
  const axis = axisOf(node, node.int("axis", 0), parts[0]!.shape.length);
  return operators.cat(parts, axis);
}

/** A product of matrices of integers with a bias in its own scale. */
function gemm(node: NodeView, inputs: Inputs): Tensor {
  const [, aScale, , , bScale, , c] = inputs as readonly Tensor[];
  const [a, aZero, b, bZero] = [0, 2, 3, 5].map((place) => inputs[place]!) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const turn = (x: Tensor, name: string) => (node.int(name, 0) === 0 ? x : x.permute([1, 0]));
  const product = matMulInteger(turn(a, "transA"), turn(b, "transB"), aZero, bZero);
  const sums = c === undefined ? product : product.add(c.to("float64"));
  const scale = aScale!.to("float64").mul(bScale!.to("float64"));
  return sums.mul(scale.mul(node.float("alpha", 1)));
}

const roundedGemm = quantizes([9, 9], 7, gemm);

/** Tells whether a product has a scale to be rounded by; the last layer's has none. */
const isRounded = (node: NodeView) => (node.node.inputs[7] ?? "") !== "";

/** Integers of a product in real numbers, with a bias. */
function integerProduct(_: NodeView, inputs: Inputs): Tensor {
  const [a, b, aScale, bScale, aZero, bZero, bias] = inputs as readonly Tensor[];
  const scale = aScale!.to("float64").mul(bScale!.to("float64"));
  const made = matMulInteger(a!, b!, aZero, bZero).mul(scale).to(aScale!.dtype);
  return bias === undefined ? made : made.add(bias);
}

/** A product with a matrix of integers, for which the other one is quantized by its own range. */
function dynamicProduct(inputs: Inputs, round: boolean): Tensor {
  const [a, b, bScale, bZero, bias] = inputs as readonly Tensor[];
  const { scale, zero } = dynamicRange(round ? a! : a!.detach());
  const steps = a!.div(scale);
  const integers = (round ? steps.round() : steps).add(zero).clamp(0, 255);
  const factor = scale.to("float64").mul(bScale!.to("float64"));
  const made = matMulInteger(integers, b!, zero, bZero).mul(factor).to(bScale!.dtype);
  return bias === undefined ? made : made.add(bias);
}

const { QuantizeLinear, DequantizeLinear } = quantization;

/** Layers whose inputs and results are integers, each with a scale and a zero point. */
export const quantizedLayers: OnnxOperators = {
  QuantizeLinear: QuantizeLinear!,
  DequantizeLinear: DequantizeLinear!,
  QLinearAdd: pair((a, b) => a.add(b)),
  QLinearMul: pair((a, b) => a.mul(b)),
  QLinearSigmoid: map((_, x) => x.sigmoid()),
  QLinearLeakyRelu: map((node, x) => x.leakyRelu(node.float("alpha", 0.01))),
  QLinearSoftmax: map(softmax),
  QLinearAveragePool: map((node, x) => inLayout(node, x, (images) => averagePool(node, images))),
  QLinearGlobalAveragePool: map((node, x) =>
    inLayout(node, x, (images) => images.meanDim(sideAxes(images.shape), true)),
  ),
  QLinearConcat: quantizes([5, anyNumber], 0, concat),
  QLinearConv: quantizes([8, 9], 6, (node, [x, ...others]) =>
    inLayout(node, x!, (images) => linearConv(node, [images, ...others])),
  ),
  QGemm: {
    inputs: [6, 9],
    run: (node, inputs, context) =>
      isRounded(node) ? roundedGemm.run(node, inputs, context) : [gemm(node, inputs).to(inputs[1]!.dtype)],
    traits: (node) => (isRounded(node) ? (roundedGemm.traits as NodeTraits) : {}),
  },
  MatMulIntegerToFloat: operator([4, 7], (node, ...inputs) => integerProduct(node, inputs)),
  DynamicQuantizeMatMul: operator([3, 5], (_, ...inputs) => dynamicProduct(inputs, true), {
    gradient: "blocks",
    standIn: (_, inputs) => dynamicProduct(inputs, false).to("float32"),
  }),
};
