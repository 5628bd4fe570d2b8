import { type DType, operators, type Tensor, tensor } from "../../../../engine/index.js";
import { onnxType } from "../../../../files/index.js";
import { type Inputs, type NodeView, type OnnxOperators, operator } from "../node.js";
import { axisOf, dtypeOf } from "../values.js";
import { conv } from "./convolution.js";

/** Least and largest number of the types that tensors are quantized to. */
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** A scale or zero point of one number, one for each slice of an axis, or one for each block of it. */
function spread(node: NodeView, x: Tensor, one: Tensor): Tensor {
  const given = node.int("axis", 1);
  const block = node.int("block_size", 0);
  if (one.size === 1) return one.reshape([]);
  const axis = axisOf(node, given, x.shape.length);
  if (block > 0) {
    if (one.shape.length !== x.shape.length) throw node.refuse("a block's scales must have the input's axes");
    const places = operators
      .arange(0, x.shape[axis]!, 1, "int64")
      .divRounded(tensor([block], [], "int64"), "floor");
    return one.indexSelect(axis, places.to({ device: one.device }));
  }
  if (one.size !== x.shape[axis]) throw node.refuse(`${one.size} scales for ${x.shape[axis]} slices`);
  return one.reshape(x.shape.map((side, at) => (at === axis ? side : 1)));
}

/** Type that a node quantizes to: what it says, or that of its zero point. */
function quantizedType(
  node: NodeView,
  zero: Tensor | undefined,
): { dtype: DType; least: number; most: number } {
  const code = node.int("output_dtype", 0);
  const said = code === 0 ? (node.typeOfInput(2) ?? zero?.dtype ?? "uint8") : onnxType(code);
  const [least, most] = bounds[said ?? ""] ?? [];
  if (least === undefined || most === undefined)
    throw node.refuse(`it quantizes to ${said ?? `type ${code}`}, which is not known here`);
  const dtype = said === "uint8" || said === "int8" ? said : "int32";
  return { dtype, least, most };
}

/** Steps of the scale from the zero point on, before they are rounded, within the type's range. */
function scaled(node: NodeView, [x, scale, zero]: Inputs, round: (steps: Tensor) => Tensor): Tensor {
  const { least, most } = quantizedType(node, zero);
  const steps = round(x!.to(x!.dtype === "int32" ? "float32" : x!.dtype).div(spread(node, x!, scale!)));
  const placed = zero === undefined ? steps : steps.add(spread(node, x!, zero).to(steps.dtype));
  return placed.clamp(least, most);
}

function quantize(node: NodeView, x: Tensor, scale: Tensor, zero?: Tensor): Tensor {
  node.int("saturate", 1);
  node.int("precision", 0);
  return scaled(node, [x, scale, zero], (steps) => steps.round()).to(quantizedType(node, zero).dtype);
}

function dequantize(node: NodeView, x: Tensor, scale: Tensor, zero?: Tensor): Tensor {
  const code = node.int("output_dtype", 0);
  const steps = x.to(scale.dtype);
  const from = zero === undefined ? steps : steps.sub(spread(node, x, zero).to(scale.dtype));
  const made = from.mul(spread(node, x, scale));
  return code === 0 ? made : made.to(dtypeOf(node, code));
}

/** Range of a whole tensor in 256 steps, with 0 at one of them. */
function dynamicRange(x: Tensor): { scale: Tensor; zero: Tensor } {
  const [least, most] = [x.amin().clamp(undefined, 0), x.amax().clamp(0)];
  const width = most.sub(least).div(255);
  const scale = operators.where(width.eq(0), width.onesLike(), width);
  return { scale, zero: least.neg().div(scale).clamp(0, 255).round() };
}

/** Integers less their zero point, in float64: sums of their products are exact in it. */
function centered(x: Tensor, zero: Tensor | undefined, rows = false): Tensor {
  const wide = x.to("float64");
  if (zero === undefined) return wide;
  const point = zero.to("float64");
  return wide.sub(rows && point.shape.length === 1 && point.size > 1 ? point.unsqueeze(1) : point);
}

const matMulInteger = (a: Tensor, b: Tensor, aZero?: Tensor, bZero?: Tensor) =>
  centered(a, aZero, true).matmul(centered(b, bZero));

function convInteger(node: NodeView, x: Tensor, w: Tensor, xZero?: Tensor, wZero?: Tensor): Tensor {
  const perOutput = wZero !== undefined && wZero.size > 1;
  const point = perOutput ? wZero.reshape([wZero.size, ...w.shape.slice(1).map(() => 1)]) : wZero;
  return conv(node, centered(x, xZero), centered(w, point));
}

/** Work of `QLinearMatMul` and `QLinearConv`: real numbers to steps of the output's scale. */
function requantized(real: Tensor, scale: Tensor, zero: Tensor, round: boolean): Tensor {
  const [least, most] = bounds[zero.dtype] ?? [0, 255];
  const steps = real.div(scale.to("float64"));
  return (round ? steps.round() : steps).add(zero.to("float64")).clamp(least, most);
}

function linearMatMul(inputs: Inputs, round: boolean): Tensor {
  const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = inputs as readonly Tensor[];
  const factor = aScale!.shape.length === 1 && aScale!.size > 1 ? aScale!.unsqueeze(1) : aScale!;
  const real = matMulInteger(a!, b!, aZero, bZero).mul(factor.to("float64")).mul(bScale!.to("float64"));
  return requantized(real, yScale!, yZero!, round);
}

function linearConv(node: NodeView, inputs: Inputs, round: boolean): Tensor {
  const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = inputs as readonly Tensor[];
  const sums = convInteger(node, x!, w!, xZero, wZero);
  const column = (one: Tensor) =>
    one.size > 1 ? one.reshape([one.size, ...w!.shape.slice(2).map(() => 1)]) : one;
  const whole = bias === undefined ? sums : sums.add(column(bias.to("float64")));
  return requantized(
    whole.mul(xScale!.to("float64")).mul(column(wScale!.to("float64"))),
    yScale!,
    yZero!,
    round,
  );
}

const blocks = { gradient: "blocks" as const };

/** Quantization. Its stand-ins are the same without rounding, and clamped to the type's range as it is. */
export const quantization: OnnxOperators = {
  QuantizeLinear: operator([2, 3], quantize, {
    ...blocks,
    standIn: (node, inputs) => scaled(node, inputs, (steps) => steps),
  }),
  DequantizeLinear: operator([2, 3], dequantize),
  DynamicQuantizeLinear: operator(
    1,
    (_, x) => {
      const { scale, zero } = dynamicRange(x);
      const steps = x.div(scale).round().add(zero).clamp(0, 255);
      return [steps.to("uint8"), scale, zero.to("uint8")];
    },
    {
      ...blocks,
      standIn: (_, [x]) => {
        const { scale, zero } = dynamicRange(x!.detach());
        return x!.div(scale).add(zero).clamp(0, 255);
      },
    },
  ),
  MatMulInteger: operator([2, 4], (_, a, b, aZero, bZero) => matMulInteger(a, b, aZero, bZero).to("int32"), {
    ...blocks,
    standIn: (_, [a, b, aZero, bZero]) => matMulInteger(a!, b!, aZero, bZero).to("float32"),
  }),
  ConvInteger: operator(
    [2, 4],
    (node, x, w, xZero, wZero) => convInteger(node, x, w, xZero, wZero).to("int32"),
    {
      ...blocks,
      standIn: (node, [x, w, xZero, wZero]) => convInteger(node, x!, w!, xZero, wZero).to("float32"),
    },
  ),
  QLinearMatMul: operator(8, (_, ...inputs) => linearMatMul(inputs, true).to(inputs[7]!.dtype), {
    ...blocks,
    standIn: (_, inputs) => linearMatMul(inputs, false).to("float32"),
  }),
  QLinearConv: operator([8, 9], (node, ...inputs) => linearConv(node, inputs, true).to(inputs[7]!.dtype), {
    ...blocks,
    standIn: (node, inputs) => linearConv(node, inputs, false).to("float32"),
  }),
};
