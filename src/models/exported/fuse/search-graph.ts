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

/** Operators that give a view or a copy, as the memory of their input lies. */
const viewing = /\.(_unsafe_view|_reshape_alias|view|view_as|reshape|reshape_as|flatten|contiguous)$/;

/**
 * Tells whether a graph writes to memory that a view shares, once the view was made: with layers whose
 * results lie otherwise, a copy may be in the view's place.
 */
function writesBesideViews({ nodes }: Graph): boolean {
  const root = new Map<string, string>();
  const viewed = new Set<string>();
  const rootOf = (name: string) => root.get(name) ?? name;
  for (const { inputs, outputs, operator, shares, writes } of nodes) {
    if (writes !== undefined && viewed.has(rootOf(inputs[0]!))) return true;
    const shared = shares === undefined ? undefined : inputs[shares];
    if (shared === undefined) continue;
    for (const name of outputs) if (name !== null) root.set(name, rootOf(shared));
    if (viewing.test(operator)) viewed.add(rootOf(shared));
  }
  return false;
}

/**
 * Graph with the same logits, but for the last bits, that is faster where weights are constants: batch
 * normalization, residuals and ReLU become parts of the layer before them, whose weights are packed.
 *
 * @param isPinned tells the nodes whose outputs somebody else reads
 */
export function searchGraph(graph: Graph, weightOf: WeightOf, isPinned: Pinned): PackedGraph {
  const isKept = writesBesideViews(graph);
  const nodes = graph.nodes.map((node): GraphNode => {
    const { form } = node;
    return form === undefined || (!isKept && isKnown(form, weightOf)) ? node : { ...node, form: undefined };
  });
  return packed(passes.reduce<Graph>((rewritten, pass) => pass(rewritten, isPinned), { ...graph, nodes }));
}
