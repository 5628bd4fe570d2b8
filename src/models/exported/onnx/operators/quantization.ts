import { type DType, operators, type Tensor, tensor } from "../../../../engine/index.js";
import { type Float8Form, type OnnxType, onnxType, storedTypes } from "../../../../files/index.js";
import { float8Form, toFloat8 } from "../narrow.js";
import { type Inputs, type NodeView, type OnnxOperator, type OnnxOperators, operator } from "../node.js";
import { axisOf, dtypeOf } from "../values.js";
import { conv } from "./convolution.js";

const blocks = { gradient: "blocks" as const };

/** Least and largest number of the integers that tensors are quantized to. */
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  uint4: [0, 15],
  int4: [-8, 7],
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
function quantizedType(node: NodeView, zero: Tensor | undefined): QuantizedType {
  const code = node.int("output_dtype", 0);
  const said = code === 0 ? (node.typeOfInput(2) ?? zero?.dtype ?? "uint8") : onnxType(code);
  const float8 = float8Form(said);
  if (float8 !== undefined) return { dtype: "float32", least: -float8.most, most: float8.most, float8 };
  const [least, most] = bounds[said ?? ""] ?? [];
  if (least === undefined || most === undefined)
    throw node.refuse(`it quantizes to ${said ?? `type ${code}`}, which is not known here`);
  const stored = storedTypes[said as OnnxType & keyof typeof storedTypes];
  return { dtype: stored, least, most };
}

/** Type that tensors are quantized to: as it is held, its range, and its form where it is a float. */
interface QuantizedType {
  readonly dtype: DType;
  readonly least: number;
  readonly most: number;
  readonly float8?: Float8Form;
}

/** Steps of the scale from the zero point on, before they are rounded; cut off at the type's range. */
function scaled(node: NodeView, [x, scale, zero]: Inputs, round: (steps: Tensor) => Tensor): Tensor {
  const { least, most } = quantizedType(node, zero);
  const steps = round(x!.to(x!.dtype === "int32" ? "float32" : x!.dtype).div(spread(node, x!, scale!)));
  const placed = zero === undefined ? steps : steps.add(spread(node, x!, zero).to(steps.dtype));
  return placed.clamp(least, most);
}

function quantize(node: NodeView, x: Tensor, scale: Tensor, zero?: Tensor): Tensor {
  const saturate = node.int("saturate", 1) !== 0;
  node.int("precision", 0);
  const { dtype, float8 } = quantizedType(node, zero);
  if (float8 !== undefined) return toFloat8(x.div(spread(node, x, scale)), float8, saturate);
  return scaled(node, [x, scale, zero], (steps) => steps.round()).to(dtype);
}

function dequantize(node: NodeView, x: Tensor, scale: Tensor, zero?: Tensor): Tensor {
  const code = node.int("output_dtype", 0);
  const steps = x.to(scale.dtype);
  const from = zero === undefined ? steps : steps.sub(spread(node, x, zero).to(scale.dtype));
  const made = from.mul(spread(node, x, scale));
  return code === 0 ? made : made.to(dtypeOf(node, code));
}

/** Range of a whole tensor in 256 steps, with 0 at one of them. */
export function dynamicRange(x: Tensor): { scale: Tensor; zero: Tensor } {
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

/** Product of integers less their zero points, in float64. */
export const matMulInteger = (a: Tensor, b: Tensor, aZero?: Tensor, bZero?: Tensor) =>
  centered(a, aZero, true).matmul(centered(b, bZero));

function convInteger(node: NodeView, x: Tensor, w: Tensor, xZero?: Tensor, wZero?: Tensor): Tensor {
  const perOutput = wZero !== undefined && wZero.size > 1;
  const point = perOutput ? wZero.reshape([wZero.size, ...w.shape.slice(1).map(() => 1)]) : wZero;
  return conv(node, centered(x, xZero), centered(w, point));
}

/** Real numbers as steps of a scale from a zero point on, within the range of its type. */
function requantized(real: Tensor, scale: Tensor, zero: Tensor, round: boolean): Tensor {
  const [least, most] = bounds[zero.dtype] ?? [0, 255];
  const steps = real.div(scale.to("float64"));
  return (round ? steps.round() : steps).add(zero.to("float64")).clamp(least, most);
}

/**
 * Operator that computes real numbers and rounds them to integers.
 *
 * @param place of the result's scale among the inputs; its zero point lies behind it
 */
export function quantizes(
  inputs: readonly [least: number, most: number],
  place: number,
  run: (node: NodeView, inputs: Inputs) => Tensor,
): OnnxOperator {
  const made = (node: NodeView, given: Inputs, round: boolean) =>
    requantized(run(node, given), given[place]!, given[place + 1]!, round);
  return operator(inputs, (node, ...given) => made(node, given, true).to(given[place + 1]!.dtype), {
    ...blocks,
    standIn: (node, given) => made(node, given, false).to("float32"),
  });
}

function linearMatMul(inputs: Inputs): Tensor {
  const [a, aScale, aZero, b, bScale, bZero] = inputs as readonly Tensor[];
  const factor = aScale!.shape.length === 1 && aScale!.size > 1 ? aScale!.unsqueeze(1) : aScale!;
  return matMulInteger(a!, b!, aZero, bZero).mul(factor.to("float64")).mul(bScale!.to("float64"));
}

/** Convolution of integers in real numbers. */
export function linearConv(node: NodeView, inputs: Inputs): Tensor {
  const [x, xScale, xZero, w, wScale, wZero, , , bias] = inputs as readonly Tensor[];
  const sums = convInteger(node, x!, w!, xZero, wZero);
  const column = (one: Tensor) =>
    one.size > 1 ? one.reshape([one.size, ...w!.shape.slice(2).map(() => 1)]) : one;
  const whole = bias === undefined ? sums : sums.add(column(bias.to("float64")));
  return whole.mul(xScale!.to("float64")).mul(column(wScale!.to("float64")));
}

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
  QLinearMatMul: quantizes([8, 8], 6, (_, inputs) => linearMatMul(inputs)),
  QLinearConv: quantizes([8, 9], 6, linearConv),
};
