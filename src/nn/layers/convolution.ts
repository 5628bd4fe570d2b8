import type { Seed } from "../../base/index.js";
import {
  operators as ops,
  type Tensor,
  tiledConvolution,
  tiledConvolutionSupports,
  tilesWeight,
} from "../../engine/index.js";
import type { Pass } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import {
  checkCount,
  checkOptions,
  checkShape,
  type Pair,
  pairOf,
  type Size2d,
  windowSides,
} from "./arguments.js";
import type { BatchNorm2d } from "./batch-norm.js";
import { normalStart, startWith, uniformStart } from "./initialization.js";
import { type Packed, Packing } from "./packing.js";
import { WeightedLayer } from "./weighted-layer.js";

/** The way that a convolution's kernel goes over an image. */
export interface ConvolutionSteps {
  /** Pixels from one place of the kernel to the next; 1 when left out. */
  readonly stride?: Size2d;
  /** Zeros on each side of the image; 0 when left out. */
  readonly padding?: Size2d;
  /** Pixels between two neighbors of the kernel; 1 when left out. */
  readonly dilation?: Size2d;
  /** Parts into which channels and filters are divided, each a convolution of its own; 1 when left out. */
  readonly groups?: number;
}

/** Options of a convolution. */
export interface Conv2dOptions extends ConvolutionSteps {
  /** Keys the first weights, together with the layer's name in its network. */
  readonly seed: number | Seed;
  /** A number added to each filter's output; true when left out. */
  readonly bias?: boolean;
  /**
   * The first weights' distribution: PyTorch's own (`uniform`, the default), or Kaiming's normal distribution
   * over the fan out, with which ResNets start.
   */
  readonly initialization?: "uniform" | "kaiming-normal";
}

/** Channels and filters from which tiles are faster; with 16 their transforms take what they save. */
const leastTiled = 32;

const steps = ["stride", "padding", "dilation", "groups"];

/**
 * 2-d convolution: (N, channels, H, W) to (N, filters, H', W'), with H' = floor((H + 2 * padding - dilation *
 * (kernel - 1) - 1) / stride) + 1. Its weight is (filters, channels / groups, kernel, kernel), its bias
 * (filters) or null.
 *
 * @param channels Channels of the input.
 * @param filters Channels of the output.
 * @param kernel Side of the kernel, or its height and width.
 * @example new Conv2d(3, 16, 3, { padding: 1, seed: 0 });
 */
export class Conv2d extends WeightedLayer {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  #packing: Packing | undefined;

  constructor(channels: number, filters: number, kernel: Size2d, options: Conv2dOptions) {
    super();
    checkCount("channels", channels);
    checkCount("filters", filters);
    const sides = pairOf("kernel", kernel, 1);
    checkOptions("Conv2d", options, ["seed", "bias", "initialization", ...steps]);
    const { seed, bias = true, initialization = "uniform", groups = 1 } = options;
    this.stride = pairOf("stride", options.stride ?? 1, 1);
    this.padding = pairOf("padding", options.padding ?? 0, 0);
    this.dilation = pairOf("dilation", options.dilation ?? 1, 1);
    this.groups = groups;
    checkCount("groups", groups);
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new RangeError(`groups must divide ${channels} channels and ${filters} filters, not ${groups}`);
    }
    if (!["uniform", "kaiming-normal"].includes(initialization)) {
      throw new RangeError(`initialization must be "uniform" or "kaiming-normal", not "${initialization}"`);
    }
    const shape = [filters, channels / groups, ...sides];
    const area = sides[0] * sides[1];
    const fanIn = (channels / groups) * area;
    startWith(this, {
      weight:
        initialization === "uniform"
          ? uniformStart(seed, shape, fanIn)
          : normalStart(seed, shape, filters * area),
      bias: bias ? uniformStart(seed, [filters], fanIn) : null,
    });
  }

  /**
   * A convolution of given tensors: weight (filters, channels / groups, height, width), bias (filters) or
   * null.
   */
  static of(weight: Tensor, bias: Tensor | null = null, options: ConvolutionSteps = {}): Conv2d {
    checkShape("weight", weight, [null, null, null, null]);
    if (bias !== null) checkShape("bias", bias, [weight.shape[0]!]);
    checkOptions("Conv2d.of", options, steps);
    const [filters, channels, ...sides] = weight.shape as [number, number, number, number];
    checkCount("groups", options.groups ?? 1);
    const layer = new Conv2d(channels * (options.groups ?? 1), filters, sides, { ...options, seed: 0 });
    return Object.assign(layer, { weight, bias });
  }

  /** Tells whether the output has the input's size by a 3x3 kernel whose stride and padding are 1. */
  get keepsSize(): boolean {
    const isOne = [this.stride, this.padding, this.dilation].flat().every((count) => count === 1);
    return isOne && this.groups === 1 && this.weight.shape.slice(2).join() === "3,3";
  }

  /** Tells whether its outputs are computed faster by tiles than by the definition's sums. */
  get gainsByTiles(): boolean {
    const [filters, channels] = this.weight.shape as [number, number];
    const isWide = Math.min(filters, channels) >= leastTiled;
    return isWide && this.keepsSize && this.weightTransform === undefined && tilesWeight(this.weight);
  }

  /**
   * Weights and bias as packed products read them, with a batch normalization folded in. They are kept until
   * a tensor of theirs is written to, or until `forget`.
   *
   * @param rounded rounds them to bfloat16
   * @param shape of the input
   */
  packed(norm: BatchNorm2d | undefined, rounded: boolean, shape: readonly number[]): Packed {
    const epsilon = norm?.epsilon ?? 0;
    if (this.#packing?.epsilon !== epsilon || this.#packing.rounded !== rounded) {
      this.forget();
      this.#packing = new Packing(this, epsilon, rounded);
    }
    const { weight, bias } = this;
    const normalization =
      norm === undefined ? [] : [norm.weight, norm.bias, norm.running_mean, norm.running_var];
    return this.#packing.of({ weight, bias: bias ?? undefined, normalization }, shape);
  }

  override forget(): void {
    this.#packing?.dispose();
    this.#packing = undefined;
  }

  override get gainsByConstantWeights(): boolean {
    return this.gainsByTiles;
  }

  protected override operator(input: Tensor, weight: Tensor, bias: Tensor | null, pass: Pass): Tensor {
    // What answers outside of training is libtorch's own operator.
    if (!pass.training || !this.gainsByTiles || !tiledConvolutionSupports(input, weight))
      return ops.conv2d(input, weight, bias, this.stride, this.padding, this.dilation, this.groups);
    const output = tiledConvolution(input, weight);
    return bias === null ? output : output.add(bias.reshape([1, -1, 1, 1]));
  }

  override applyWith(input: Tensor, weight: Tensor, bias: Tensor | null, pass: Pass): Tensor {
    // libtorch cannot see the layout of a one-channel input and falls back to NCHW, in which pooling is 4
    // times slower.
    return super.applyWith(input, weight, bias, pass).contiguous("channelsLast");
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { stride, padding, dilation, groups } = this;
    const { weight, bias } = this.onnxWeights(sketch);
    const [filters, , ...kernel] = this.weight.shape as [number, number, number, number];
    const attributes = {
      kernel_shape: attribute.ints(kernel),
      strides: attribute.ints(stride),
      pads: attribute.ints([...padding, ...padding]),
      dilations: attribute.ints(dilation),
      group: attribute.int(groups),
    };
    const sides = windowSides(input.shape.slice(1), kernel, this);
    return sketch.node("Conv", [input, weight, ...bias], attributes, [filters, ...sides]);
  }
}
