import type { OnnxAttribute, OnnxElements, OnnxModel, OnnxTensor } from "../../../files/index.js";
import { contentSha256, Numbers, StructureHash } from "./canonical.js";

/** Tensor without its name; its values where they join its node: whole numbers, and single ones. */
function tensorFacts({ shape, type }: OnnxTensor, elements: OnnxElements | undefined): unknown {
  if (elements === undefined) return { type, shape };
  const count = shape.reduce((product, side) => product * side, 1);
  const isContent = count <= 1 || !/float/.test(elements.type);
  return { type, shape, content: isContent ? contentSha256(elements.data) : null };
}

/**
 * SHA-256 of the structure of an ONNX file's graph; see `StructureHash`.
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
  const attributeFacts = ({ kind, value }: OnnxAttribute, [output = ""]: readonly string[]): unknown => {
    if (kind !== "tensor") return { kind, value };
    const known = held.get(output) ?? (value.external === undefined ? elements(value) : undefined);
    return { kind, value: tensorFacts(value, known) };
  };
  /** A value that is met for the first time is the file's: of a weight its form is told. */
  const reading = (name: string): number | null => {
    if (name === "") return null;
    const tensor = values.has(name) ? undefined : initializers.get(name);
    if (tensor !== undefined) hash.add("weight", values.of(name), tensorFacts(tensor, held.get(name)));
    return values.of(name);
  };
  hash.add("operator sets", [...opsets].sort());
  for (const { name, type, shape } of graph.inputs)
    if (!initializers.has(name)) hash.add("input", values.of(name), formOf(type, shape));
  for (const { domain, operator, inputs, outputs, attributes } of graph.nodes) {
    const given = inputs.map(reading);
    const chosen = [...attributes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attribute]) => [name, attributeFacts(attribute, outputs)]);
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
