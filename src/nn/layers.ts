import { checkKind, checkNumber } from "../base/index.js";
import { operators as ops, Tensor } from "../engine/index.js";
import { inBfloat16, type WeightedOperator } from "./bfloat16.js";
import { Module, type Pass } from "./module.js";

/** Throws unless a parameter is a tensor of a shape, in which null stands for any side. */
function checkShape(name: string, given: Tensor, sides: readonly (number | null)[]): void {
  checkKind(name, given, "a tensor", given instanceof Tensor);
  const { shape } = given;
  if (shape.length !== sides.length || sides.some((side, i) => side !== null && side !== shape[i])) {
    const accepted = sides.map((side) => side ?? "any").join(", ");
    throw new RangeError(`${name} must have the shape [${accepted}], not [${shape.join(", ")}]`);
  }
}

/** Changes a layer's weight for a pass, such as binarization; the parameter itself stays as it is. */
export interface WeightTransform {
  (weight: Tensor, pass: Pass): Tensor;
  /** Whether two draws can differ; false when left out. */
  readonly randomized?: boolean;
}

/** A layer with a weight that can be transformed. */
export abstract class WeightedLayer extends Module {
  abstract readonly weight: Tensor;
  weightTransform: WeightTransform | undefined;

  override get randomized(): boolean {
    return this.weightTransform?.randomized ?? false;
  }

  /** An operator of the input and of the weight as the pass has it: transformed, and in its precision. */
  protected weighted(operator: WeightedOperator, input: Tensor, bias: Tensor | null, pass: Pass): Tensor {
    const weight = this.weightTransform === undefined ? this.weight : this.weightTransform(this.weight, pass);
    return pass.precision === "bfloat16" ? inBfloat16(operator, input, weight, bias) : operator(input, weight, bias);
  }
}

/** 2-d convolution: (N, in, H, W) to (N, out, H', W'); weight (out, in, k, k), bias (out) or null. Throws on other shapes. */
export class Conv2d extends WeightedLayer {
  constructor(
    readonly weight: Tensor,
    readonly bias: Tensor | null,
    readonly options: { stride?: number; padding?: number } = {},
  ) {
    super();
    checkShape("weight", weight, [null, null, null, null]);
    if (bias !== null) checkShape("bias", bias, [weight.shape[0]!]);
    const { stride = 1, padding = 0 } = options;
    checkNumber("stride", stride, "an integer >= 1", Number.isInteger(stride) && stride >= 1);
    checkNumber("padding", padding, "an integer >= 0", Number.isInteger(padding) && padding >= 0);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const { stride = 1, padding = 0 } = this.options;
    const convolution: WeightedOperator = (...operands) =>
      ops.conv2d(...operands, [stride, stride], [padding, padding]);
    const output = this.weighted(convolution, input, this.bias, pass);
    // libtorch cannot see the layout of a one-channel input and falls back to NCHW, in which pooling is 4 times slower.
    return output.contiguous("channelsLast");
  }
}

/** Fully connected layer: (N, in) to (N, out); weight (out, in), bias (out) or null. Throws on other shapes. */
export class Linear extends WeightedLayer {
  constructor(
    readonly weight: Tensor,
    readonly bias: Tensor | null,
  ) {
    super();
    checkShape("weight", weight, [null, null]);
    if (bias !== null) checkShape("bias", bias, [weight.shape[0]!]);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return this.weighted(ops.linear, input, this.bias, pass);
  }
}

export class ReLU extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.relu();
  }
}

/** Maximum over size x size windows that do not overlap. */
export class MaxPool2d extends Module {
  constructor(readonly size: number) {
    super();
    checkNumber("size", size, "an integer >= 1", Number.isInteger(size) && size >= 1);
  }

  protected override forward(input: Tensor): Tensor {
    return ops.maxPool2d(input, [this.size, this.size]);
  }
}

/** Mean of each channel: (N, C, H, W) to (N, C), for images of any size. */
export class GlobalAveragePool extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.meanDim([2, 3]);
  }
}

/** (N, C, H, W) to (N, C * H * W), in row-major order. */
export class Flatten extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.flatten(1);
  }
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) over (N, H, W) for each channel: batch statistics in training, which also
 * move the running ones by `momentum`; running statistics otherwise. All four (C); throws on other shapes.
 */
export class BatchNorm2d extends Module {
  constructor(
    readonly weight: Tensor,
    readonly bias: Tensor,
    readonly running_mean: Tensor,
    readonly running_var: Tensor,
    readonly options: { momentum?: number; epsilon?: number } = {},
  ) {
    super();
    checkShape("weight", weight, [null]);
    for (const [name, of] of Object.entries({ bias, running_mean, running_var })) checkShape(name, of, weight.shape);
    const { momentum = 0.1, epsilon = 1e-5 } = options;
    checkNumber("momentum", momentum, "in [0, 1]", momentum >= 0 && momentum <= 1);
    checkNumber("epsilon", epsilon, "> 0", epsilon > 0);
  }

  override get usesBatchStatistics(): boolean {
    return true;
  }

  /** What it does outside of training: input * scale + shift, each of shape (C). */
  atRest(): { scale: Tensor; shift: Tensor } {
    const scale = this.weight.div(this.running_var.add(this.#epsilon).sqrt());
    return { scale, shift: this.bias.sub(this.running_mean.mul(scale)) };
  }

  get #epsilon(): number {
    return this.options.epsilon ?? 1e-5;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const { momentum = 0.1 } = this.options;
    // The running variance takes the unbiased estimate, which one value does not have: it would become NaN for good.
    if (pass.training && input.size === input.shape[1]) {
      throw new RangeError(
        `batch normalization cannot train on one value a channel, shape [${input.shape.join(", ")}]`,
      );
    }
    return ops.batchNorm(
      input,
      this.weight,
      this.bias,
      this.running_mean,
      this.running_var,
      pass.training,
      momentum,
      this.#epsilon,
      false,
    );
  }
}
