import { sizeOf } from "../../../base/index.js";
import type { OnnxGraph } from "../../../files/index.js";

/** Inputs of operators that training changes: kernels, matrices, scales and biases. */
const trained: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  GroupNormalization: [1, 2],
  PRelu: [1],
  Add: [0, 1],
  Mul: [0, 1],
  FusedConv: [1, 2],
  FusedGemm: [1, 2],
  FusedMatMul: [0, 1],
  BiasGelu: [1],
  FastGelu: [1],
  SkipLayerNormalization: [2, 3, 4],
  Attention: [1, 2],
  MultiHeadAttention: [3],
};

/**
 * Names of weights that training may change. A file does not say: those that operators with learned weights
 * read, and what is added or multiplied with more than one number.
 */
export function parameterNames({ nodes, initializers }: OnnxGraph): Set<string> {
  const sizes = new Map(initializers.map(({ name, shape }) => [name, sizeOf(shape)]));
  const floats = new Set(
    initializers.filter(({ type }) => [1, 10, 11, 16].includes(type)).map(({ name }) => name),
  );
  const found = new Set<string>();
  for (const { operator, inputs } of nodes) {
    for (const place of trained[operator] ?? []) {
      const name = inputs[place] ?? "";
      if (floats.has(name) && sizes.get(name)! > 1) found.add(name);
    }
  }
  // Exporters store equal tensors once: running statistics that are also a scale stay as they are.
  for (const { operator, inputs } of nodes) {
    if (operator === "BatchNormalization") for (const name of inputs.slice(3)) found.delete(name);
  }
  return found;
}
