import { sizeOf } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";
import { Module } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import { checkCount, checkFinite, checkOptions } from "./arguments.js";
import { constantStart, startWith } from "./initialization.js";

/** Options of group and layer normalization. */
export interface NormOptions {
  /** Added to the variance, above 0; 1e-5 when left out. */
  readonly epsilon?: number;
}

function epsilonOf(layer: string, options: NormOptions): number {
  checkOptions(layer, options, ["epsilon"]);
  const { epsilon = 1e-5 } = options;
  checkFinite("epsilon", epsilon, "> 0", (value) => value > 0);
  return epsilon;
}

/** Normalizes in the type of the parameters: the sums of a bfloat16 input would lose what is to be kept. */
function inOwnType(input: Tensor, { dtype }: Tensor, normalize: (input: Tensor) => Tensor): Tensor {
  return input.dtype === dtype ? normalize(input) : normalize(input.to(dtype)).to(input.dtype);
}

/**
 * Group normalization (Wu and He 2018): each group of an image's channels gets mean 0 and variance 1, then
 * each channel a scale and an offset. Takes (N, channels, ...); depends on no other image, in training as
 * well.
 *
 * @param groups Parts into which the channels are divided: 1 is layer normalization, `channels` instance
 * normalization.
 * @example new GroupNorm(4, 16);
 */
export class GroupNorm extends Module {
  declare readonly weight: Tensor;
  declare readonly bias: Tensor;
  readonly epsilon: number;

  constructor(
    readonly groups: number,
    channels: number,
    options: NormOptions = {},
  ) {
    super();
    checkCount("groups", groups);
    checkCount("channels", channels);
    if (channels % groups !== 0)
      throw new RangeError(`groups must divide ${channels} channels, not ${groups}`);
    this.epsilon = epsilonOf("GroupNorm", options);
    startWith(this, { weight: constantStart(1, [channels]), bias: constantStart(0, [channels]) });
  }

  protected override forward(input: Tensor): Tensor {
    const { groups, weight, bias, epsilon } = this;
    return inOwnType(input, weight, (given) => ops.groupNorm(given, groups, weight, bias, epsilon));
  }

  // As instance normalization of groups: the operator of this name changed its meaning in version 21 of the
  // operator set.
  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { groups, weight, bias, epsilon } = this;
    const [channels, ...sides] = input.shape as [number, ...number[]];
    const size = sizeOf(input.shape);
    const grouped = [groups, size / groups];
    const ones = sketch.constant(Array<number>(groups).fill(1), [groups]);
    const zeros = sketch.constant(Array<number>(groups).fill(0), [groups]);
    const parts = sketch.node("Reshape", [input, sketch.whole([-1, ...grouped])], {}, grouped);
    const attributes = { epsilon: attribute.float(epsilon) };
    const unit = sketch.node("InstanceNormalization", [parts, ones, zeros], attributes);
    const whole = sketch.node("Reshape", [unit, sketch.whole([-1, ...input.shape])], {}, input.shape);
    const each = sketch.whole([channels, ...sides.map(() => 1)]);
    const [scale, shift] = [weight, bias].map((value) =>
      sketch.node("Reshape", [sketch.weight(value), each]),
    );
    return sketch.node("Add", [sketch.node("Mul", [whole, scale!]), shift!]);
  }
}

/**
 * Layer normalization (Ba, Kiros and Hinton 2016): the last axes of each image get mean 0 and variance 1,
 * then each element a scale and an offset. Takes (N, ..., ...shape).
 *
 * @param shape The last axes: a number of features, or a list such as [channels, height, width].
 * @example new LayerNorm(128);
 */
export class LayerNorm extends Module {
  declare readonly weight: Tensor;
  declare readonly bias: Tensor;
  readonly shape: readonly number[];
  readonly epsilon: number;

  constructor(shape: number | readonly number[], options: NormOptions = {}) {
    super();
    this.shape = Array.isArray(shape) ? [...shape] : [shape as number];
    if (this.shape.length === 0)
      throw new RangeError("shape must have at least one axis, such as [128], not []");
    for (const side of this.shape) checkCount("shape", side);
    this.epsilon = epsilonOf("LayerNorm", options);
    startWith(this, { weight: constantStart(1, this.shape), bias: constantStart(0, this.shape) });
  }

  protected override forward(input: Tensor): Tensor {
    const { shape, weight, bias, epsilon } = this;
    return inOwnType(input, weight, (given) => ops.layerNorm(given, shape, weight, bias, epsilon));
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { shape, weight, bias, epsilon } = this;
    const attributes = { axis: attribute.int(-shape.length), epsilon: attribute.float(epsilon) };
    return sketch.node("LayerNormalization", [input, sketch.weight(weight), sketch.weight(bias)], attributes);
  }
}
