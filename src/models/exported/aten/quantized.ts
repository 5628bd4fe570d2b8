import { dtypeOf, Tensor } from "../../../engine/index.js";
import type { Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue, NodeContext } from "../graph.js";
import { type Argument, slotsOf } from "./arguments.js";

/** Arguments of a quantization, by name. */
type Given = Readonly<Record<string, Argument>>;

const perTensor = "input scale zero_point quant_min quant_max dtype";
const perChannel = "input scales zero_points axis quant_min quant_max dtype";

/** Operators of `quantized_decomposed`, which quantization by export (PT2E) writes, and what they take. */
const taken: Readonly<Record<string, string>> = {
  quantize_per_tensor: perTensor,
  dequantize_per_tensor: `${perTensor} out_dtype`,
  quantize_per_channel: perChannel,
  dequantize_per_channel: `${perChannel} out_dtype`,
};

const overloads: readonly string[] = ["default", "tensor", "tensor2"];

/** Scale or zero point as it goes beside the input: a number, or one for each slice of the axis. */
function spread({ input, axis }: Given, value: Argument): Tensor | number {
  if (typeof value === "number") return value;
  if (!(value instanceof Tensor)) return 0;
  if (typeof axis !== "number") {
    if (value.size !== 1) throw new RangeError(`${value.size} scales for a whole tensor; it takes one`);
    return value.detach().item();
  }
  const { shape } = input as Tensor;
  const at = axis < 0 ? axis + shape.length : axis;
  if (value.size !== shape[at])
    throw new RangeError(`${value.size} scales for ${shape[at]} slices of axis ${axis}`);
  return value.reshape(shape.map((side, i) => (i === at ? side : 1)));
}

const inverse = (scale: Tensor | number) => (typeof scale === "number" ? 1 / scale : scale.reciprocal());
const bound = (value: Argument) => (value instanceof Tensor ? value.item() : (value as number));

/** Steps of the scale from the zero point on, within the range of the type. */
function quantized(given: Given, round: (steps: Tensor) => Tensor): Tensor {
  const input = given.input as Tensor;
  const steps = input.to("float32").mul(inverse(spread(given, given.scale ?? given.scales)) as Tensor);
  return round(steps)
    .add(spread(given, given.zero_point ?? given.zero_points) as Tensor)
    .clamp(bound(given.quant_min), bound(given.quant_max));
}

/** Numbers that steps stand for. */
function dequantized(given: Given): Tensor {
  const type = typeof given.out_dtype === "number" ? dtypeOf(given.out_dtype) : "float32";
  const from = (given.input as Tensor)
    .to(type)
    .sub(spread(given, given.zero_point ?? given.zero_points) as Tensor);
  return from.mul(spread(given, given.scale ?? given.scales) as Tensor).to(type);
}

/**
 * Node that quantizes to 8 bits or back, as models of PyTorch's quantization by export have them; undefined
 * for other targets. Its gradient stays within the range of the type as if nothing were rounded.
 *
 * @throws TypeError for operators of the namespace that are not read
 */
export function lowerQuantized({ name, target, inputs, outputs }: Pt2Node): GraphNode | undefined {
  const [, written, overload] = /^torch\.ops\.quantized_decomposed\.(\w+)\.(\w+)$/.exec(target) ?? [];
  if (written === undefined || overload === undefined) return undefined;
  const operator = `quantized_decomposed.${written}`;
  if (written.startsWith("choose_qparams"))
    throw new TypeError(
      `${operator} takes its scale from all images of a batch at once (dynamic quantization), so that an ` +
        "image's logits depend on the others: quantize statically (is_dynamic=False), with calibration images",
    );
  const names = Object.hasOwn(taken, written) ? taken[written]!.split(" ") : undefined;
  const [output] = outputs;
  if (names === undefined || !overloads.includes(overload) || output?.kind !== "tensor")
    throw new TypeError(
      `${operator}.${overload} is not read; read are ${Object.keys(taken).join(", ")}: ` +
        "quantize each tensor or channel to int8 or uint8, or export the model before it is quantized",
    );
  const parameters = names.map((parameter) => ({ name: parameter, type: "any", written: false }));
  const slots = slotsOf(parameters, new Map(inputs.map((input) => [input.name, input.value])));
  const given = (values: readonly GraphValue[], context: NodeContext): Given =>
    Object.fromEntries(slots.make(values, context).map((value, i) => [names[i]!, value]));
  const parts = { name, operator, inputs: slots.inputs, outputs: [output.name] };
  if (written.startsWith("dequantize")) {
    const run: GraphNode["run"] = (values, context) => [dequantized(given(values, context))];
    return { ...parts, run, standIn: (values, context) => dequantized(given(values, context)) };
  }
  return {
    ...parts,
    gradient: "blocks",
    run(values, context) {
      const args = given(values, context);
      return [quantized(args, (steps) => steps.round()).to(dtypeOf(args.dtype as number))];
    },
    standIn: (values, context) => quantized(given(values, context), (steps) => steps),
  };
}
