import type { Graph, GraphNode, LayerForm, NodeForm } from "../graph.js";

/** Layer that a node behind it becomes a part of. */
type Merge = (layer: LayerForm, value: string, next: NodeForm) => LayerForm | undefined;

/** Nodes that stay as they are, such as those that a defense follows. */
export type Pinned = (node: GraphNode) => boolean;

/** Number of times that each value is read. */
function readsOf({ nodes, output }: Graph): Map<string, number> {
  const reads = new Map([[output, 1]]);
  for (const { inputs } of nodes) for (const name of inputs) reads.set(name, (reads.get(name) ?? 0) + 1);
  return reads;
}

/** Names of all values that a layer reads. */
export function namesOf({ input, weight, bias, normalization, residual }: LayerForm): string[] {
  const { weight: scale, bias: shift, mean, variance } = normalization ?? {};
  const names = [input, weight, bias, scale, shift, mean, variance, residual];
  return names.filter((name): name is string => typeof name === "string");
}

/**
 * Graph in which layers take in the nodes behind them, where `merge` knows how. The node behind has to be the
 * only reader of the layer's output, and nothing may write to memory in between, since the layer is then
 * computed in that node's place.
 */
export function absorbed(graph: Graph, isPinned: Pinned, merge: Merge): Graph {
  const reads = readsOf(graph);
  /** Layers by their outputs, with their places. */
  const layers = new Map<string, { readonly form: LayerForm; readonly at: number }>();
  const nodes: (GraphNode | undefined)[] = [];
  let lastWrite = -1;
  for (const node of graph.nodes) {
    const at = nodes.length;
    const { form: next, outputs } = node;
    const value = node.inputs.find((name) => {
      const layer = layers.get(name);
      return layer !== undefined && layer.at > lastWrite && reads.get(name) === 1;
    });
    const layer = value === undefined ? undefined : layers.get(value);
    // An operator that writes to another value's memory has to do so.
    const writesElsewhere = node.writes !== undefined && node.inputs[0] !== value;
    const isLone = outputs.slice(1).every((name) => name === null || (reads.get(name) ?? 0) === 0);
    const merged = layer && next && isLone && !writesElsewhere ? merge(layer.form, value!, next) : undefined;
    if (merged === undefined) {
      nodes.push(node);
      if (node.writes !== undefined) lastWrite = at;
    } else {
      nodes[layer!.at] = undefined;
      nodes.push(withForm(node, merged));
    }
    const [output] = outputs;
    const form = merged ?? next;
    if (form?.kind === "layer" && typeof output === "string" && !isPinned(node))
      layers.set(output, { form, at });
  }
  return { ...graph, nodes: nodes.filter((node) => node !== undefined) };
}

/** Node that computes a layer in another's place, once `packed` gives it something to run. */
function withForm({ name, operator, outputs }: GraphNode, form: LayerForm): GraphNode {
  const run = () => {
    throw new Error(`node "${name}" has no packed weights`);
  };
  return { name, operator, inputs: namesOf(form), outputs: outputs.slice(0, 1), run, form };
}
