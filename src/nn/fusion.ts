import { type BlockQuantization, convBlock, convBlockSupports, type Tensor } from "../engine/index.js";
import { Conv2d, MaxPool2d, ReLU } from "./layers.js";
import type { Module, Pass } from "./module.js";

let enabled = true;

/** Runs a function in which networks are evaluated layer by layer, without fused blocks: the reference for tests. */
export function withoutFusion<T>(body: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    return body();
  } finally {
    enabled = before;
  }
}

/** Subclasses may compute something else. */
function isExactly<M extends Module>(
  layer: Module | undefined,
  type: abstract new (...args: never[]) => M,
): layer is M {
  return layer !== undefined && Object.getPrototypeOf(layer) === type.prototype;
}

function isPlain(layer: Module): boolean {
  return layer.outputTransforms.length === 0;
}

/** What follows a ReLU, if a fused block can do it: null is nothing, undefined something else. */
function quantizationAfter(relu: ReLU, pass: Pass): BlockQuantization | null | undefined {
  if (relu.outputTransforms.length > 1) return undefined;
  return relu.outputTransforms.length === 0 ? null : relu.outputTransforms[0]!.fusedQuantization(pass);
}

/**
 * Evaluates the block that starts at a layer, where it is one that `convBlock` does: a plain convolution 3x3 with bias,
 * ReLU with at most one SQA after it, max-pool 2x2. Undefined where it is not: then the layers are applied one by one.
 */
export function applyFused(
  layers: readonly Module[],
  first: number,
  input: Tensor,
  pass: Pass,
): { output: Tensor; layers: number } | undefined {
  if (!enabled || (pass.precision ?? "float32") !== "float32") return undefined;
  const [conv, relu, pool] = [layers[first], layers[first + 1], layers[first + 2]];
  if (!isExactly(conv, Conv2d) || !isExactly(relu, ReLU) || !isExactly(pool, MaxPool2d)) return undefined;
  const { stride = 1, padding = 0 } = conv.options;
  if (stride !== 1 || padding !== 1 || conv.bias === null || conv.weightTransform !== undefined) return undefined;
  if (pool.size !== 2 || !isPlain(conv) || !isPlain(pool)) return undefined;
  if (!convBlockSupports(input, conv.weight, conv.bias)) return undefined;
  const quantization = quantizationAfter(relu, pass);
  if (quantization === undefined) return undefined;
  return { output: convBlock(input, conv.weight, conv.bias, quantization ?? undefined), layers: 3 };
}
