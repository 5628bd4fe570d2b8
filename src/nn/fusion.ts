import {
  type BlockQuantization,
  convBlock,
  convBlockSupports,
  packedLayer,
  type Tensor,
  tiledConvolutionSupports,
} from "../engine/index.js";
import { multipliesBfloat16 } from "./bfloat16.js";
import { ReLU } from "./layers/activations.js";
import { BatchNorm2d } from "./layers/batch-norm.js";
import { Conv2d } from "./layers/convolution.js";
import { MaxPool2d } from "./layers/pooling.js";
import type { Module, Pass } from "./module.js";
import { within } from "./places.js";

let enabled = true;

/**
 * Runs a function in which networks are evaluated layer by layer, without fused blocks: the reference for
 * tests. A convolution by itself may still go by tiles in training.
 */
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
  return layer.inputTransforms.length === 0 && layer.outputTransforms.length === 0;
}

function are(pair: readonly [number, number], value: number): boolean {
  return pair[0] === value && pair[1] === value;
}

/** Tells whether a pool takes the maximum of 2x2 windows side by side. */
function halves({ window, stride, padding, dilation }: MaxPool2d): boolean {
  return are(window, 2) && are(stride, 2) && are(padding, 0) && are(dilation, 1);
}

/**
 * Quantization that follows a ReLU, if a fused block can do it: null is nothing, undefined something else.
 */
function quantizationAfter(relu: ReLU, pass: Pass): BlockQuantization | null | undefined {
  if (relu.inputTransforms.length > 0 || relu.outputTransforms.length > 1) return undefined;
  return relu.outputTransforms.length === 0 ? null : relu.outputTransforms[0]!.fusedQuantization(pass);
}

/** Output of the first layers together, and their number. */
interface Fused {
  readonly output: Tensor;
  readonly layers: number;
}

/**
 * `convBlock`, where a plain convolution 3x3 with bias, ReLU with at most one SQA after it, and max-pool 2x2
 * follow each other.
 */
function pooledBlock([conv, relu, pool]: readonly Module[], input: Tensor, pass: Pass): Fused | undefined {
  if (!isExactly(conv, Conv2d) || !isExactly(relu, ReLU) || !isExactly(pool, MaxPool2d)) return undefined;
  if (!conv.keepsSize || conv.bias === null || conv.weightTransform !== undefined) return undefined;
  if (!halves(pool) || !isPlain(conv) || !isPlain(pool)) return undefined;
  if (!convBlockSupports(input, conv.weight, conv.bias)) return undefined;
  const quantization = quantizationAfter(relu, pass);
  if (quantization === undefined) return undefined;
  const options = { quantization: quantization ?? undefined, bfloat16: pass.precision === "bfloat16" };
  return { output: convBlock(input, conv.weight, conv.bias, options), layers: 3 };
}

/**
 * One product for a plain convolution 3x3, and for what is plain behind it: batch normalization, a shortcut
 * to be added, ReLU. For passes in which weights are constants: they are packed once.
 */
function packedConvolution(
  [conv, ...after]: readonly Module[],
  input: Tensor,
  pass: Pass,
  shortcut?: Tensor,
): Fused | undefined {
  if (pass.constantWeights !== true || pass.training || !isExactly(conv, Conv2d)) return undefined;
  if (!conv.gainsByTiles || !isPlain(conv)) return undefined;
  const rounded = pass.precision === "bfloat16";
  if (rounded && (shortcut !== undefined || multipliesBfloat16(input.device))) return undefined;
  const taken = rounded ? input.to("bfloat16").to("float32") : input;
  if (!tiledConvolutionSupports(taken, conv.weight)) return undefined;
  const [first] = after;
  const norm = isExactly(first, BatchNorm2d) && isPlain(first) ? first : undefined;
  const last = norm === undefined ? first : after[1];
  const relu = isExactly(last, ReLU) && isPlain(last);
  const { weights, bias } = conv.packed(norm, rounded, taken.shape);
  const made = packedLayer(taken, weights, { bias, residual: shortcut, relu });
  const layers = 1 + (norm === undefined ? 0 : 1) + (relu ? 1 : 0);
  return { output: rounded ? made.to("bfloat16") : made, layers };
}

/**
 * Sum of a shortcut and what a block's last layers make of an input, and ReLU, the last of them, as one
 * layer; undefined where they cannot be one.
 */
export function fusedResidual(
  layers: readonly Module[],
  input: Tensor,
  pass: Pass,
  shortcut: Tensor,
): Tensor | undefined {
  if (!enabled) return undefined;
  const fused = packedConvolution(layers, input, pass, shortcut);
  return fused?.layers === layers.length ? fused.output : undefined;
}

/**
 * One convolution for a plain convolution and the batch normalization behind it, which is linear outside of
 * training.
 */
function normalizedConvolution(
  [conv, norm]: readonly Module[],
  input: Tensor,
  pass: Pass,
): Fused | undefined {
  if (pass.training || !isExactly(conv, Conv2d) || !isExactly(norm, BatchNorm2d)) return undefined;
  if (conv.weightTransform !== undefined || !isPlain(conv) || !isPlain(norm)) return undefined;
  const { scale, shift } = norm.atRest();
  const bias = conv.bias === null ? shift : conv.bias.mul(scale).add(shift);
  const weight = conv.weight.mul(scale.reshape([-1, 1, 1, 1]));
  return { output: within(conv, () => conv.applyWith(input, weight, bias, pass)), layers: 2 };
}

/**
 * Evaluates the layers that begin a list as one, where they are such as can be. Undefined where they are not:
 * then they are applied one by one.
 */
export function applyFused(layers: readonly Module[], input: Tensor, pass: Pass): Fused | undefined {
  if (!enabled) return undefined;
  return (
    pooledBlock(layers, input, pass) ??
    packedConvolution(layers, input, pass) ??
    normalizedConvolution(layers, input, pass)
  );
}
