import type { OnnxAttribute, OnnxElements, OnnxModel, OnnxTensor } from "../../../files/index.js";
import { contentSha256, isStructure, Numbers, StructureHash } from "./canonical.js";

/** Operators on quantized values, whose tensors are weights, scales and zero points, of whatever type. */
const quantized = /^(Q|Dequantize|DynamicQuantize)|Integer/;

/** Tensor without its name; its values where they are structure, which those of a weight never are. */
function tensorFacts(
  { shape, type }: OnnxTensor,
  elements: OnnxElements | undefined,
  isWeight: boolean,
): unknown {
  if (elements === undefined) return { type, shape };
  const isContent = !isWeight && isStructure(elements.type, elements.data.length);
  return { type, shape, content: isContent ? contentSha256(elements.data) : null };
}

/**
 * SHA-256 of the structure of an ONNX file's graph; see `StructureHash`. A tensor that quantized operators
 * read is a weight, also where others read it.
 *
 * @param held tensors of the file by the names of their values
 * @param elements of a tensor that an attribute holds
 */
export function onnxGraphSha256(
  { opsets, graph }: OnnxModel,
  held: ReadonlyMap<string, OnnxElements>,
  elements: (tensor: OnnxTensor) => OnnxElements,
): string {
  const hash = new StructureHash();
  const values = new Numbers();
  const sides = new Numbers();
  const formOf = (type: number | undefined, shape: readonly (number | string)[] | undefined) => [
    type ?? null,
    shape?.map((side) => (typeof side === "number" ? side : `$${sides.of(side)}`)) ?? null,
  ];
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const ofQuantized = new Set(
    graph.nodes.flatMap(({ operator, inputs }) => (quantized.test(operator) ? inputs : [])),
  );
  const contentOf = (tensor: OnnxTensor) =>
    tensor.external === undefined ? contentSha256(elements(tensor).data) : null;
  const attributeFacts = (
    { kind, value }: OnnxAttribute,
    operator: string,
    [output = ""]: readonly string[],
  ): unknown => {
    // What another operator has as an attribute, such as a filling, is none of the weights.
    if (operator !== "Constant")
      return { kind, value: kind === "tensor" ? [value.type, value.shape, contentOf(value)] : value };
    if (kind === "float" || kind === "floats") return { kind, count: [value].flat().length };
    if (kind !== "tensor") return { kind, value };
    const known = held.get(output) ?? (value.external === undefined ? elements(value) : undefined);
    return { kind, value: tensorFacts(value, known, ofQuantized.has(output)) };
  };
  /** Number of a value; where it is a tensor of the file, its first reader adds the tensor's form. */
  const reading = (name: string): number | null => {
    if (name === "") return null;
    const tensor = values.has(name) ? undefined : initializers.get(name);
    if (tensor !== undefined) {
      hash.add("weight", values.of(name), tensorFacts(tensor, held.get(name), ofQuantized.has(name)));
    }
    return values.of(name);
  };
  hash.add("operator sets", [...opsets].sort());
  for (const { name, type, shape } of graph.inputs)
    if (!initializers.has(name)) hash.add("input", values.of(name), formOf(type, shape));
  for (const { domain, operator, inputs, outputs, attributes } of graph.nodes) {
    const given = inputs.map(reading);
    const chosen = [...attributes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attribute]) => [name, attributeFacts(attribute, operator, outputs)]);
    hash.add(
      "node",
      domain,
      operator,
      chosen,
      given,
      outputs.map((name) => (name === "" ? null : values.of(name))),
    );
  }
  for (const { name, type, shape } of graph.outputs) hash.add("output", reading(name), formOf(type, shape));
  return hash.digest();
}
