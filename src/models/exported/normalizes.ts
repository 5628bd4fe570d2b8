import type { Graph, GraphNode } from "./graph.js";

/** Most operators that are followed from the images on. */
const mostSteps = 16;

/** Operators that pixels pass through as they are, ONNX's and ATen's. */
const passing = new Set([
  ...["Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Resize", "Pad", "Slice"],
  ...["aten.clone", "aten.to", "aten._to_copy", "aten.contiguous", "aten.alias", "aten.detach", "aten.pad"],
  ...["aten.permute", "aten.view", "aten.reshape", "aten.lift_fresh_copy"],
]);

/** Arithmetic with constants, by the names of both formats. */
const arithmetic = /^(?:aten\.)?(sub|div|mul|add)_?$/i;

/** Operator as arithmetic with constants: sub, div, mul, add or norm; undefined for any other. */
function stepOf({ operator, form }: GraphNode): string | undefined {
  const isNorm = form?.kind === "normalization" || operator === "BatchNormalization";
  return isNorm ? "norm" : arithmetic.exec(operator)?.[1]?.toLowerCase();
}

/** Names of the values that no image changes: weights, and what is made of them alone. */
function constantsOf({ weights, nodes }: Graph): ReadonlySet<string> {
  const constants = new Set(weights.flatMap(({ values }) => values));
  for (const { inputs, outputs, random } of nodes) {
    if (random === true || !inputs.every((value) => constants.has(value))) continue;
    for (const value of outputs) if (value !== null) constants.add(value);
  }
  return constants;
}

/**
 * Operators by which a graph normalizes its images: the first ones, where they subtract, divide or normalize
 * by constants. None where it takes pixels as they are, or scales them alone.
 */
export function normalizingOperators(graph: Graph): readonly string[] {
  const { input, nodes } = graph;
  const constants = constantsOf(graph);
  const found = new Map<string, string>();
  let name: string | undefined = input;
  for (let i = 0; i < mostSteps && name !== undefined; i++) {
    const [node, ...others]: readonly GraphNode[] = nodes.filter(({ inputs }) => inputs.includes(name!));
    if (node === undefined || others.length > 0) break;
    const isAlone = node.inputs.every((value) => value === name || constants.has(value));
    const step = isAlone ? stepOf(node) : undefined;
    if (step !== undefined) found.set(step, node.operator);
    else if (!passing.has(node.operator)) break;
    name = node.outputs[0] ?? undefined;
  }
  // A reader's own factor for pixels of 0 to 255, and the model's that takes it back, are no normalization.
  const isScaled = found.has("mul") && !found.has("add");
  const shifts = found.has("sub") || found.has("norm") || (found.has("add") && found.size > 1);
  return shifts || (found.has("div") && !isScaled) ? [...found.values()] : [];
}
