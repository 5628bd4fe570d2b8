import { type BlockQuantization, convBlock, convBlockSupports, type Tensor } from "../engine/index.js";
import { BatchNorm2d, Conv2d, MaxPool2d, ReLU } from "./layers.js";
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

/** What the layers from the first on give together, and how many of them that were. */
interface Fused {
  readonly output: Tensor;
  readonly layers: number;
}

/** `convBlock`, where a plain convolution 3x3 with bias, ReLU with at most one SQA after it, and max-pool 2x2 follow each other. */
function pooledBlock([conv, relu, pool]: readonly Module[], input: Tensor, pass: Pass): Fused | undefined {
  if (!isExactly(conv, Conv2d) || !isExactly(relu, ReLU) || !isExactly(pool, MaxPool2d)) return undefined;
  const { stride = 1, padding = 0 } = conv.options;
  if (stride !== 1 || padding !== 1 || conv.bias === null || conv.weightTransform !== undefined) return undefined;
  if (pool.size !== 2 || !isPlain(conv) || !isPlain(pool)) return undefined;
  if (!convBlockSupports(input, conv.weight, conv.bias)) return undefined;
  const quantization = quantizationAfter(relu, pass);
  if (quantization === undefined) return undefined;
  const options = { quantization: quantization ?? undefined, bfloat16: pass.precision === "bfloat16" };
  return { output: convBlock(input, conv.weight, conv.bias, options), layers: 3 };
}

/** One convolution for a plain convolution and the batch normalization behind it, which is linear outside of training. */
function normalizedConvolution([conv, norm]: readonly Module[], input: Tensor, pass: Pass): Fused | undefined {
  if (pass.training || !isExactly(conv, Conv2d) || !isExactly(norm, BatchNorm2d)) return undefined;
  if (conv.weightTransform !== undefined || !isPlain(conv) || !isPlain(norm)) return undefined;
  const { scale, shift } = norm.atRest();
  const bias = conv.bias === null ? shift : conv.bias.mul(scale).add(shift);
  const folded = new Conv2d(conv.weight.mul(scale.reshape([-1, 1, 1, 1])), bias, conv.options);
  return { output: folded.apply(input, pass), layers: 2 };
}

/**
 * Evaluates the layers that begin a list as one, where they are such as can be. Undefined where they are not: then they are
 * applied one by one.
 */
export function applyFused(layers: readonly Module[], input: Tensor, pass: Pass): Fused | undefined {
  if (!enabled) return undefined;
  return pooledBlock(layers, input, pass) ?? normalizedConvolution(layers, input, pass);
}
