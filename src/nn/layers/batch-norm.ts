import { countWrite, operators as ops, sharedBatchNorm, type Tensor } from "../../engine/index.js";
import { Module, type Pass } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import { checkCount, checkFinite, checkOptions, checkShape } from "./arguments.js";
import { bufferStart, constantStart, startWith } from "./initialization.js";

/** Options of batch normalization. */
export interface BatchNorm2dOptions {
  /** The share of a training batch's statistics in the running ones, in [0, 1]; 0.1 when left out. */
  readonly momentum?: number;
  /** Added to the variance, above 0; 1e-5 when left out. */
  readonly epsilon?: number;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) over (N, H, W) for each channel, over (N) behind a linear
 * layer: batch statistics in training, which also move the running ones by `momentum`; running statistics
 * otherwise. Starts as the identity on normalized input.
 *
 * @example new BatchNorm2d(16);
 */
export class BatchNorm2d extends Module {
  declare readonly weight: Tensor;
  declare readonly bias: Tensor;
  declare readonly running_mean: Tensor;
  declare readonly running_var: Tensor;
  readonly momentum: number;
  readonly epsilon: number;

  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    super();
    checkCount("channels", channels);
    checkOptions("BatchNorm2d", options, ["momentum", "epsilon"]);
    const { momentum = 0.1, epsilon = 1e-5 } = options;
    checkFinite("momentum", momentum, "in [0, 1]", (value) => value >= 0 && value <= 1);
    checkFinite("epsilon", epsilon, "> 0", (value) => value > 0);
    this.momentum = momentum;
    this.epsilon = epsilon;
    startWith(this, {
      weight: constantStart(1, [channels]),
      bias: constantStart(0, [channels]),
      running_mean: bufferStart(0, [channels]),
      running_var: bufferStart(1, [channels]),
    });
  }

  /** Batch normalization of given tensors, all of shape (channels). */
  static of(
    tensors: { weight: Tensor; bias: Tensor; running_mean: Tensor; running_var: Tensor },
    options: BatchNorm2dOptions = {},
  ): BatchNorm2d {
    const { weight, bias, running_mean, running_var } = tensors;
    checkShape("weight", weight, [null]);
    for (const [name, of] of Object.entries({ bias, running_mean, running_var }))
      checkShape(name, of, weight.shape);
    const layer = new BatchNorm2d(weight.shape[0]!, options);
    return Object.assign(layer, { weight, bias, running_mean, running_var });
  }

  override get usesBatchStatistics(): boolean {
    return true;
  }

  /** A subclass may compute something else. */
  override get sharesBatches(): boolean {
    return this.forward === BatchNorm2d.prototype.forward;
  }

  /** Its work outside of training: input * scale + shift, each of shape (channels). */
  atRest(): { scale: Tensor; shift: Tensor } {
    const scale = this.weight.div(this.running_var.add(this.epsilon).sqrt());
    return { scale, shift: this.bias.sub(this.running_mean.mul(scale)) };
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const { weight, bias, running_mean, running_var, momentum, epsilon } = this;
    if (pass.training && pass.ranks !== undefined && pass.ranks.size > 1)
      return sharedBatchNorm(input, this, this);
    // The running variance takes the unbiased estimate, which one value does not have: it would become NaN
    // for good.
    if (pass.training && input.size === input.shape[1]) {
      throw new RangeError(
        `batch normalization cannot train on one value a channel, shape [${input.shape.join(", ")}]`,
      );
    }
    const output = ops.batchNorm(
      input,
      weight,
      bias,
      running_mean,
      running_var,
      pass.training,
      momentum,
      epsilon,
      false,
    );
    if (pass.training) for (const statistics of [running_mean, running_var]) countWrite(statistics);
    return output;
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { weight, bias, running_mean, running_var, epsilon } = this;
    const tensors = [weight, bias, running_mean, running_var].map((value) => sketch.weight(value));
    return sketch.node("BatchNormalization", [input, ...tensors], { epsilon: attribute.float(epsilon) });
  }
}
