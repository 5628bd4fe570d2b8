import type { Graph } from "../graph.js";
import { absorbed, type Pinned } from "./absorb.js";

/** Folds batch normalization, which is linear outside of training, into the layer before it. */
export function foldNormalization(graph: Graph, isPinned: Pinned): Graph {
  return absorbed(graph, isPinned, (layer, value, next) => {
    const isPlain = layer.normalization === undefined && layer.residual === undefined && layer.relu !== true;
    if (next.kind !== "normalization" || next.input !== value || !isPlain) return undefined;
    const { weight, bias, mean, variance, epsilon } = next;
    return { ...layer, normalization: { weight, bias, mean, variance, epsilon } };
  });
}
