import { givenSigns } from "./given-signs.js";
import { type Graph, type GraphNode, plainName } from "./graph.js";

/** Way of gradients through a graph. */
export interface GradientFlow {
  /** Nodes between images and logits that block gradients, to be replaced in the backward pass. */
  readonly blocking: ReadonlySet<GraphNode>;
  /** Nodes between images and logits that block gradients and have no stand-in. */
  readonly lost: readonly GraphNode[];
  /** Random nodes that the logits depend on. */
  readonly random: readonly GraphNode[];
}

/**
 * Gives values that share memory which is written to the same name, so that what is written to one is known
 * of all.
 */
function withoutAliases(graph: Graph): Graph {
  const root = new Map<string, string>();
  const written = new Set<string>();
  for (const { inputs, outputs, shares, writes } of graph.nodes) {
    const shared = shares === undefined ? undefined : inputs[shares];
    if (shared !== undefined) {
      for (const name of outputs) if (name !== null) root.set(name, root.get(shared) ?? shared);
    }
    if (writes !== undefined) written.add(root.get(inputs[0]!) ?? inputs[0]!);
  }
  if (written.size === 0) return graph;
  const of = (name: string) => (written.has(root.get(name) ?? "") ? root.get(name)! : name);
  return {
    ...graph,
    output: of(graph.output),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(of),
      outputs: node.outputs.map((name) => (name === null ? null : of(name))),
    })),
  };
}

type Values = ReadonlySet<string>;

/** Tells whether a node reads one of the values. */
export const readsAny = (node: GraphNode, values: Values) => node.inputs.some((name) => values.has(name));
const makesAny = (node: GraphNode, values: Values) =>
  node.outputs.some((name) => name !== null && values.has(name));

/** Adds the values that nodes make, from the first node to the last; `wanted` may ask for those added. */
export function collect(
  nodes: readonly GraphNode[],
  into: Set<string>,
  wanted: (node: GraphNode) => boolean,
): ReadonlySet<string> {
  for (const node of nodes) {
    if (!wanted(node)) continue;
    for (const name of node.outputs) if (name !== null) into.add(name);
  }
  return into;
}

/** Values that depend on the images' pixels. */
function valuesOfImages({ nodes, input }: Graph): Values {
  const found = new Set([input]);
  return collect(nodes, found, (node) => node.shapeOnly !== true && readsAny(node, found));
}

/** Values that are masks, which comparisons of the images make. */
function valuesOfMasks({ nodes }: Graph, ofImages: Values): Values {
  const found = new Set<string>();
  const onlyMasks = ({ inputs }: GraphNode) => inputs.every((name) => found.has(name) || !ofImages.has(name));
  return collect(
    nodes,
    found,
    (node) => node.mask === "makes" || (node.mask === "keeps" && readsAny(node, found) && onlyMasks(node)),
  );
}

/** Operators that put values beside each other, or on top: a mask among them is a number as they are. */
const joining = new Set(
  "add sub subtract rsub sum mean cat concat concatenate stack maximum minimum max min".split(" "),
);

/** Inputs by which a node's output depends on the images, without masks that choose between others. */
function followed(node: GraphNode, ofImages: Values, masks: Values): readonly string[] {
  const own = node.inputs.filter((name) => ofImages.has(name));
  if (joining.has(plainName(node))) return own;
  const chosen = own.filter((name) => !masks.has(name));
  return chosen.length > 0 ? chosen : own;
}

/**
 * Nodes that detach within a straight-through form, such as `x + (round(x) - x).detach()`: all that reads
 * them reads something else of the images, too. Their author chose the gradient, so they stay.
 */
function writtenStraightThrough({ nodes }: Graph, ofImages: Values): Set<GraphNode> {
  const maker = new Map<string, GraphNode>();
  const joined = new Map<GraphNode, boolean>();
  for (const node of nodes) {
    if (node.gradient === "detaches") for (const name of node.outputs) if (name) maker.set(name, node);
    for (const name of node.inputs) {
      const from = maker.get(name);
      if (from === undefined) continue;
      const hasOther = node.inputs.some((other) => maker.get(other) !== from && ofImages.has(other));
      joined.set(from, hasOther && (joined.get(from) ?? true));
    }
  }
  return new Set([...joined].filter(([, always]) => always).map(([node]) => node));
}

/** Finds the nodes that block gradients, or draw noise, between the images and the logits. */
export function gradientFlow(original: Graph): GradientFlow {
  const graph = withoutAliases(original);
  const { nodes, output } = graph;
  const originals = new Map(nodes.map((node, i) => [node, original.nodes[i]!]));
  const own = (some: readonly GraphNode[]) => some.map((node) => originals.get(node)!);
  const ofImages = valuesOfImages(graph);
  const masks = valuesOfMasks(graph, ofImages);
  const kept = new Set([...writtenStraightThrough(graph, ofImages), ...givenSigns(graph, ofImages)]);
  const [used, onTheWay] = [new Set([output]), new Set([output])];
  for (const node of [...nodes].reverse()) {
    if (makesAny(node, used)) for (const name of node.inputs) used.add(name);
    // What leads to the logits by detached values alone has no gradient to pass on.
    if (kept.has(node) || !makesAny(node, onTheWay)) continue;
    for (const name of followed(node, ofImages, masks)) onTheWay.add(name);
  }
  const blocked = nodes.filter(
    (node) =>
      (node.gradient === "blocks" || node.gradient === "detaches") &&
      !kept.has(node) &&
      readsAny(node, ofImages) &&
      makesAny(node, onTheWay),
  );
  return {
    blocking: new Set(own(blocked.filter(({ standIn }) => standIn !== undefined))),
    lost: own(blocked.filter(({ standIn }) => standIn === undefined)),
    random: own(nodes.filter((node) => node.random === true && makesAny(node, used))),
  };
}
