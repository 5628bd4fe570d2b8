import { operators as ops, type Tensor } from "../engine/index.js";
import { Module } from "./module.js";
import type { OnnxEdge, OnnxSketch } from "./onnx-sketch.js";

function checkChannels(name: string, values: readonly number[], channels: number): void {
  if (!Array.isArray(values)) throw new TypeError(`${name} must be a list of numbers, not ${String(values)}`);
  if (values.length !== channels || channels === 0) {
    throw new RangeError(
      `${name} must hold a number for each channel, as many as the mean, not ${values.length}`,
    );
  }
  if (!values.every(Number.isFinite))
    throw new RangeError(`${name} must hold finite numbers, not [${values}]`);
}

/**
 * (x - mean) / std for each channel of (N, C, H, W): first layer of a network that takes images in [0, 1].
 *
 * The numbers are part of the network's definition, not of its state, so that keys stay those of other
 * toolkits.
 */
export class Normalize extends Module {
  constructor(
    readonly mean: readonly number[],
    readonly std: readonly number[],
  ) {
    super();
    checkChannels("mean", mean, mean?.length);
    checkChannels("std", std, mean.length);
    if (std.some((value) => value <= 0)) throw new RangeError(`std must be above 0, not [${std}]`);
  }

  protected override forward(input: Tensor): Tensor {
    if (input.shape[1] !== this.mean.length) {
      throw new RangeError(
        `normalization of ${this.mean.length} channels cannot take [${input.shape.join(", ")}]`,
      );
    }
    // Channel by channel, by plain numbers: constants as tensors would have to lie on the input's device.
    const channels = this.mean.map((mean, c) => input.select(1, c).sub(mean).div(this.std[c]!));
    return ops.stack(channels, 1);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const shape = [this.mean.length, 1, 1];
    const centered = sketch.node("Sub", [input, sketch.constant(this.mean, shape)]);
    return sketch.node("Div", [centered, sketch.constant(this.std, shape)]);
  }
}
