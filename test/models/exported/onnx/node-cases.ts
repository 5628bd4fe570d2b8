import { deriveSeed } from "../../../../src/base/index.js";
import { imageIdRange, noGrad, scope, Tensor } from "../../../../src/engine/index.js";
import { type OnnxElements, type OnnxModel, onnxType } from "../../../../src/files/index.js";
import { elementsOf, parseOnnx, parseOnnxTensor } from "../../../../src/files/onnx/index.js";
import type { GraphValue } from "../../../../src/models/exported/graph.js";
import { checkNodes, graphNodes } from "../../../../src/models/exported/onnx/nodes.js";
import { tensorOf } from "../../../../src/models/exported/onnx/values.js";

/** Operator test as the onnx package writes it: a model, its inputs, and what NumPy says of its outputs. */
export interface NodeCase {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

export type CaseResult =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly problem: string }
  /** Not of what is read here, and why. */
  | { readonly kind: "other"; readonly reason: string };

/** Operators of the tests that draw noise, or have outputs of an own choice: NumPy's noise is another. */
const chance = /^(RandomNormal|RandomUniform|Bernoulli|Multinomial)/;
const drops = /^test_training_dropout(_default)?(_mask)?$/;
/** Operators of ONNX Runtime and PyTorch make whole sides of a scale. */
const fractions = /^test_resize_downsample_scales_(cubic|linear)_align_corners$/;

/** The reason why a case is not of a classifier: operators, domains or types that are not read. */
function reasonFor(
  name: string,
  model: OnnxModel,
  tensors: readonly { readonly type: number }[],
): string | undefined {
  const { nodes, inputs, outputs } = model.graph;
  const foreign = nodes.find(({ domain }) => domain !== "" && domain !== "com.microsoft");
  if (foreign !== undefined) return `domain ${foreign.domain}`;
  for (const { type } of [...inputs, ...outputs])
    if (type === undefined) return "sequences and optional values";
  const types = [...inputs, ...outputs, ...tensors].map(({ type }) => onnxType(type ?? 0));
  if (types.includes("string")) return "strings";
  if (types.includes(undefined)) return "types of 4 bits and fewer that are not read";
  if (nodes.some(({ operator }) => chance.test(operator)) || drops.test(name)) return "noise of NumPy";
  if (fractions.test(name)) return "sides with a fraction, which no runtime has";
  const isTraining = nodes.some(({ attributes }) => attributes.get("training_mode")?.value === 1);
  if (isTraining) return "batch normalization in training mode, which is refused";
  try {
    checkNodes(model, "");
  } catch (error) {
    return /known here: (.*); export/.exec((error as Error).message)?.[1] ?? String(error);
  }
  return undefined;
}

/** Runs a case by the operators of this project. */
export function runCase({ name, model: bytes, inputs, outputs }: NodeCase): CaseResult {
  let model: OnnxModel;
  try {
    model = parseOnnx(bytes, name);
  } catch (error) {
    return { kind: "other", reason: (error as Error).message };
  }
  const given = inputs.map((data, i) => parseOnnxTensor(data, `${name} input ${i}`));
  const wanted = outputs.map((data, i) => parseOnnxTensor(data, `${name} output ${i}`));
  const reason = reasonFor(name, model, [...given, ...wanted]);
  if (reason !== undefined) return { kind: "other", reason };
  try {
    return scope(() =>
      noGrad(() =>
        compared(
          model,
          given.map((one) => elementsOf(one, name)),
          wanted.map((one) => elementsOf(one, name)),
        ),
      ),
    );
  } catch (error) {
    return { kind: "failed", problem: (error as Error).message };
  }
}

function compared(
  model: OnnxModel,
  given: readonly OnnxElements[],
  wanted: readonly OnnxElements[],
): CaseResult {
  const types = new Map(model.graph.inputs.map(({ name, type }) => [name, onnxType(type ?? 0)]));
  for (const tensor of model.graph.initializers) types.set(tensor.name, onnxType(tensor.type));
  const lowered = graphNodes(model, {
    opset: model.opsets.get("") ?? 0,
    mostElements: 2 ** 26,
    elements: (tensor) => elementsOf(tensor, "case"),
    typeOf: (name) => types.get(name),
  });
  const values = new Map<string, GraphValue>();
  for (const tensor of model.graph.initializers)
    values.set(tensor.name, tensorOf(elementsOf(tensor, "case")));
  for (const [i, { name }] of model.graph.inputs.entries()) values.set(name, tensorOf(given[i]!));
  const noise = { seed: deriveSeed(0, "case"), draw: 0, imageIds: imageIdRange(0, 1) };
  for (const { node } of lowered) {
    const made = node.run(
      node.inputs.map((name) => values.get(name) ?? null),
      { device: "cpu", noise, noiseFree: false, stream: 0 },
    );
    for (const [k, value] of made.entries()) {
      const name = node.outputs[k] ?? null;
      if (name !== null) values.set(name, value);
      else if (value instanceof Tensor) value.dispose();
    }
  }
  for (const { view } of lowered) {
    const [unread] = view.unread();
    if (unread !== undefined) return { kind: "failed", problem: `attribute ${unread} was not read` };
  }
  for (const [i, { name }] of model.graph.outputs.entries()) {
    const problem = difference(values.get(name) as Tensor, wanted[i]!);
    if (problem !== undefined) return { kind: "failed", problem: `output ${name}: ${problem}` };
  }
  return { kind: "passed" };
}

/** Widths of a type's rounding beyond the tests' own tolerance of 1e-3. */
const loose: Readonly<Record<string, number>> = { bfloat16: 2 ** -6, float16: 2e-3 };

function difference(found: Tensor | undefined, wanted: OnnxElements): string | undefined {
  if (found === undefined) return "is not there";
  if (found.shape.join() !== wanted.shape.join()) return `shape [${found.shape}], not [${wanted.shape}]`;
  if (found.dtype !== wanted.stored) return `type ${found.dtype}, not ${wanted.stored}`;
  const numbers = found.toNumbers();
  const right = Array.from(wanted.data as ArrayLike<number | bigint>, Number);
  const share = loose[wanted.type] ?? 1e-3;
  const wrong = right.findIndex((value, k) => {
    const own = numbers[k]!;
    if (Number.isNaN(value) || !Number.isFinite(value)) return !Object.is(value, own) && value !== own;
    return !(Math.abs(own - value) <= 1e-7 + share * Math.abs(value));
  });
  return wrong < 0 ? undefined : `element ${wrong} is ${numbers[wrong]}, not ${right[wrong]}`;
}
