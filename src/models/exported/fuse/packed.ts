import { type PackedWeights, packedLayer, type Tensor } from "../../../engine/index.js";
import { Packing, type PackingTensors } from "../../../nn/index.js";
import type { Graph, GraphNode, GraphValue, LayerForm } from "../graph.js";
import { namesOf } from "./absorb.js";

/** Graph whose layers hold packed weights, until it is disposed. */
export interface PackedGraph {
  readonly graph: Graph;
  dispose(): void;
}

/** Tells whether a residual has the shape of a layer's output. */
function fits({ channels, geometry, isLinear }: PackedWeights, input: Tensor, residual: Tensor): boolean {
  const [height, width, down, across, above, beside] = geometry as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const side = (taken: number, kernel: number, stride: number, padding: number) =>
    Math.floor((taken + 2 * padding - kernel) / stride) + 1;
  const [n, , ...sides] = input.shape;
  const shape = isLinear
    ? [...input.shape.slice(0, -1), channels[1]]
    : [n, channels[1], side(sides[0]!, height, down, above), side(sides[1]!, width, across, beside)];
  return residual.shape.join() === shape.join();
}

/** Output of a layer; a residual of another shape or type is added by the operator that it came from. */
function outputOf(
  input: Tensor,
  packing: Packing,
  tensors: PackingTensors,
  { residual, relu }: { readonly residual: Tensor | undefined; readonly relu: boolean },
): Tensor {
  const { weights: packed, bias } = packing.of(tensors, input.shape);
  // An image without a batch.
  const isAlone = !packed.isLinear && input.shape.length === 3;
  const taken = isAlone ? input.unsqueeze(0) : input;
  if (residual === undefined && !isAlone) return packedLayer(taken, packed, { bias, relu });
  if (!isAlone && residual?.dtype === "float32" && fits(packed, taken, residual))
    return packedLayer(taken, packed, { bias, residual, relu });
  const plain = packedLayer(taken, packed, { bias });
  const output = isAlone ? plain.squeeze(0) : plain;
  const sum = residual === undefined ? output : output.add(residual);
  return relu ? sum.relu() : sum;
}

/** Node that computes its layer by packed weights. */
function packedNode(node: GraphNode, form: LayerForm, packing: Packing): GraphNode {
  const names = namesOf(form);
  const { weight, bias, normalization, residual, input, relu = false } = form;
  const statistics = normalization && [
    normalization.weight,
    normalization.bias,
    normalization.mean,
    normalization.variance,
  ];
  const run = (inputs: readonly GraphValue[]): readonly GraphValue[] => {
    const value = (name: string | null | undefined) =>
      typeof name === "string" ? (inputs[names.indexOf(name)] as Tensor) : undefined;
    const tensors = {
      weight: value(weight)!,
      bias: value(bias),
      normalization: (statistics ?? []).map(value),
    };
    return [outputOf(value(input)!, packing, tensors, { residual: value(residual), relu })];
  };
  const { name, operator, outputs } = node;
  return { name, operator, inputs: names, outputs, run, form };
}

/** Packs the weights of every layer when it first runs. */
export function packed(graph: Graph): PackedGraph {
  const packings: Packing[] = [];
  const nodes = graph.nodes.map((node) => {
    if (node.form?.kind !== "layer") return node;
    const packing = new Packing(node.form, node.form.normalization?.epsilon);
    packings.push(packing);
    return packedNode(node, node.form, packing);
  });
  return {
    graph: { ...graph, nodes },
    dispose: () => {
      for (const packing of packings) packing.dispose();
    },
  };
}
