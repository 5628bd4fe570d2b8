import type { Graph } from "../graph.js";
import { absorbed, type Pinned } from "./absorb.js";

/** Applies ReLU where a layer's output is written. */
export function applyRelu(graph: Graph, isPinned: Pinned): Graph {
  return absorbed(graph, isPinned, (layer, value, next) =>
    next.kind !== "relu" || next.input !== value || layer.relu === true
      ? undefined
      : { ...layer, relu: true },
  );
}
