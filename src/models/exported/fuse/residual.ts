import type { Graph } from "../graph.js";
import { absorbed, type Pinned } from "./absorb.js";

/** Adds a residual where a layer's output is written. */
export function addResiduals(graph: Graph, isPinned: Pinned): Graph {
  return absorbed(graph, isPinned, (layer, value, next) => {
    if (next.kind !== "sum" || layer.residual !== undefined || layer.relu === true) return undefined;
    const [first, second] = next.terms;
    if (first === second) return undefined;
    return { ...layer, residual: first === value ? second : first };
  });
}
