import { keep, type Tensor } from "../../../src/engine/index.js";
import type { Graph, GraphNode } from "../../../src/models/exported/graph.js";
import { straightThrough } from "../../../src/models/exported/straight-through.js";

/**
 * Inputs of the operators of a pass that have kinks, in the order of their nodes: ReLUs, which switch at 0,
 * and maxima, which switch where two numbers are alike.
 */
export class Sides {
  readonly #inputs: Tensor[] = [];
  #next = 0;

  /** The graph, which notes the inputs of its operators with kinks. */
  noted(graph: Graph): Graph {
    return changed(graph, (run) => (inputs, context) => {
      this.#inputs.push(keep((inputs[0] as Tensor).detach().clone()));
      return run(inputs, context);
    });
  }

  /** The graph with the noted values before kinks, and its own gradients; undefined where counts differ. */
  taken(graph: Graph): Graph | undefined {
    if (graph.nodes.filter(hasKink).length !== this.#inputs.length) return undefined;
    this.#next = 0;
    return changed(
      graph,
      (run) =>
        ([given, ...others], context) =>
          run([straightThrough(given as Tensor, this.#inputs[this.#next++]!), ...others], context),
    );
  }

  dispose(): void {
    for (const input of this.#inputs.splice(0)) input.dispose();
  }
}

const kinks = /^(aten\.(relu6?|hardtanh|hardswish|hardsigmoid|max_pool2d)_?|Relu|Clip|Hard\w+|MaxPool)$/;
const hasKink = ({ operator }: GraphNode) => kinks.test(operator);

function changed(graph: Graph, change: (run: GraphNode["run"]) => GraphNode["run"]): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => (hasKink(node) ? { ...node, run: change(node.run) } : node)),
  };
}
