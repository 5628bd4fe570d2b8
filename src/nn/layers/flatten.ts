import { sizeOf } from "../../base/index.js";
import type { Tensor } from "../../engine/index.js";
import { Module } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";

/** (N, C, H, W) to (N, C * H * W), in row-major order. */
export class Flatten extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.flatten(1);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const size = sizeOf(input.shape);
    return sketch.node("Flatten", [input], { axis: attribute.int(1) }, [size]);
  }
}
