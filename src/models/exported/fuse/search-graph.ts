import type { Tensor } from "../../../engine/index.js";
import type { Graph, GraphNode, NodeForm } from "../graph.js";
import type { Pinned } from "./absorb.js";
import { foldNormalization } from "./normalization.js";
import { type PackedGraph, packed } from "./packed.js";
import { applyRelu } from "./rectifier.js";
import { addResiduals } from "./residual.js";

/** Weight of a graph by the name of a value; undefined for a value that is computed. */
export type WeightOf = (value: string) => Tensor | undefined;

const passes = [foldNormalization, addResiduals, applyRelu];

/** Tells whether a node's weights are float32 on the CPU, and not computed by other nodes. */
function isKnown(form: NodeForm, weightOf: WeightOf): boolean {
  const names = {
    layer: () => (form.kind === "layer" ? [form.weight, form.bias] : []),
    normalization: () =>
      form.kind === "normalization" ? [form.weight, form.bias, form.mean, form.variance] : [],
    sum: () => [],
    relu: () => [],
  }[form.kind]();
  return names.every((name) => {
    if (name === null) return true;
    const tensor = weightOf(name);
    return tensor !== undefined && tensor.dtype === "float32" && tensor.device === "cpu" && tensor.size > 0;
  });
}

/**
 * Graph with the same logits, but for the last bits, that is faster where weights are constants: batch
 * normalization, residuals and ReLU become parts of the layer before them, whose weights are packed.
 *
 * @param isPinned tells the nodes whose outputs somebody else reads
 */
export function searchGraph(graph: Graph, weightOf: WeightOf, isPinned: Pinned): PackedGraph {
  const nodes = graph.nodes.map((node): GraphNode => {
    const { form } = node;
    return form === undefined || isKnown(form, weightOf) ? node : { ...node, form: undefined };
  });
  return packed(passes.reduce<Graph>((rewritten, pass) => pass(rewritten, isPinned), { ...graph, nodes }));
}
