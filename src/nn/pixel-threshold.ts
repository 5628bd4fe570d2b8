import type { Tensor } from "../engine/index.js";
import { Module } from "./module.js";
import type { OnnxEdge, OnnxSketch } from "./onnx-sketch.js";

/**
 * Reads pixels up to `low` as 0, those from `high` on as 1, and those between on a line: first layer of a
 * network for images that are nearly black and white, where no perturbation below `low` of a black pixel, or
 * of a white one, gets through.
 *
 * The gradient is the line's everywhere (straight-through), so that attacks do not lose pixels that they have
 * moved too far. Both ends are part of the network's definition, not of its state. RangeError unless 0 <= low
 * < high <= 1.
 */
export class PixelThreshold extends Module {
  constructor(
    readonly low: number,
    readonly high: number,
  ) {
    super();
    if (!(low >= 0 && low < high && high <= 1)) {
      throw new RangeError(`a threshold must lie in 0 <= low < high <= 1, not low ${low}, high ${high}`);
    }
  }

  override get hasOwnGradient(): boolean {
    return true;
  }

  protected override forward(input: Tensor): Tensor {
    const line = input.sub(this.low).div(this.high - this.low);
    // The difference is zero, and passes the gradient on.
    return line.detach().clamp(0, 1).add(line.sub(line.detach()));
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const from = sketch.node("Sub", [input, sketch.constant(this.low)]);
    const line = sketch.node("Div", [from, sketch.constant(this.high - this.low)]);
    return sketch.node("Clip", [line, sketch.constant(0), sketch.constant(1)]);
  }
}
