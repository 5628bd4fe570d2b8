import { collect, readsAny } from "../flow.js";
import type { Graph, GraphNode, NodeContext } from "../graph.js";
import type { Trial } from "./fold.js";

/** Values that the images, or their number, have a part in. */
function valuesOfImages({ input, nodes }: Graph): ReadonlySet<string> {
  const found = new Set([input]);
  return collect(nodes, found, (node) => readsAny(node, found));
}

/**
 * Tells whether the first axis of a node's noise is that of the images: where it grew with their number from
 * one trial to another. A graph for a fixed number has one trial: there the noise must be like a value of
 * the images, or of a shape that the file writes, and have exactly as many rows.
 */
function isPerImage(node: GraphNode, trials: readonly Trial[], ofImages: ReadonlySet<string>) {
  const made = node.outputs.find((name) => name !== null);
  const [first, second] = trials.map(({ shapes, images }) => ({
    rows: shapes.get(made ?? "")?.[0] ?? 0,
    images,
  }));
  if (first === undefined || first.rows === 0) return false;
  if (second === undefined) {
    const mayBe = node.inputs.length === 0 || ofImages.has(node.inputs[0]!);
    return mayBe && first.rows === first.images;
  }
  return first.rows % first.images === 0 && first.rows * second.images === second.rows * first.images;
}

/** The same graph, whose noise is drawn for each image where its first axis is theirs, in any batch. */
export function withNoiseAxes(graph: Graph, trials: readonly Trial[]): Graph {
  const ofImages = valuesOfImages(graph);
  const nodes = graph.nodes.map((node): GraphNode => {
    if (node.random !== true) return node;
    const noisePerImage = isPerImage(node, trials, ofImages);
    const told = (context: NodeContext) => ({ ...context, noisePerImage });
    const { run, standIn } = node;
    return {
      ...node,
      run: (values, context) => run(values, told(context)),
      ...(standIn === undefined ? {} : { standIn: (values, context) => standIn(values, told(context)) }),
    };
  });
  return { ...graph, nodes };
}
