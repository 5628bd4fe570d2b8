import type { QuantizationRange, Rounding } from "../../engine/index.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../../nn/index.js";

/** Stands in for a draw where rounding is to the nearest level; the kernel has the same number. */
const uniformToNearest = 0.49999997;

/**
 * Adds a quantizer to a graph in ONNX's operators: the arithmetic of the kernel, in its order. A draw is one
 * of `RandomUniformLike` for each element, which the runtime makes; nothing keys it.
 */
export function onnxQuantizer(
  input: OnnxEdge,
  {
    lambda,
    range,
    rounding,
  }: { readonly lambda: number; readonly range: QuantizationRange; readonly rounding: Rounding },
  sketch: OnnxSketch,
): OnnxEdge {
  const first = { batch: 0, image: 1, channel: 2 }[range];
  const axes = input.shape.map((_, axis) => axis + 1);
  const attributes = { axes: attribute.ints(first === 0 ? [0, ...axes] : axes.slice(first - 1)) };
  const node = (operator: string, ...inputs: (OnnxEdge | string)[]) =>
    sketch.node(operator, inputs, {}, input.shape);

  const low = sketch.node("ReduceMin", [input], attributes);
  const width = node("Sub", sketch.node("ReduceMax", [input], attributes), low);
  const levels = sketch.constant(lambda);
  const share = node("Div", node("Sub", input, low), width);
  const scaled = lambda === 1 ? share : node("Mul", share, levels);
  const below = node("Floor", scaled);
  const draw = rounding === "nearest" ? sketch.constant(uniformToNearest) : node("RandomUniformLike", scaled);
  const isRaised = node("Less", draw, node("Sub", scaled, below));
  const raised = node("Add", below, sketch.cast(isRaised, "float32"));
  const level = node("Min", raised, levels);
  const normalized = lambda === 1 ? level : node("Div", level, levels);
  const output = node("Add", node("Mul", normalized, width), low);
  // All alike: there is nothing to normalize, and the activation is passed on as it is.
  return node("Where", node("Greater", width, sketch.constant(0)), output, input);
}
