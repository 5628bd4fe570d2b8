import { imageIdRange, type Tensor } from "../../engine/index.js";
import { inBfloat16 } from "../bfloat16.js";
import { Module, type Pass } from "../module.js";
import type { OnnxSketch } from "../onnx-sketch.js";

/** Changes a layer's weight for a pass, such as binarization; the parameter itself stays as it is. */
export interface WeightTransform {
  (weight: Tensor, pass: Pass): Tensor;
  /** True where two draws can differ; false when left out. */
  readonly randomized?: boolean;
  /** Adds a random weight's drawing to a graph in ONNX's operators, from the weight's name there. */
  onnx?(weight: string, shape: readonly number[], sketch: OnnxSketch): string;
}

/** A layer with a weight that can be transformed. */
export abstract class WeightedLayer extends Module {
  /**
   * Its first value is drawn when it is first read, keyed by the layer's seed and its name in the network. In
   * a network of your own class, read it through the network (`state()`) first: by itself it has no name yet.
   *
   */
  declare readonly weight: Tensor;
  declare readonly bias: Tensor | null;
  weightTransform: WeightTransform | undefined;

  override get randomized(): boolean {
    return this.weightTransform?.randomized ?? false;
  }

  /** The layer's operator, of any weight and bias of its shapes. */
  protected abstract operator(input: Tensor, weight: Tensor, bias: Tensor | null, pass: Pass): Tensor;

  /** Output of the layer with another weight and bias of the same shapes, in the pass's precision. */
  applyWith(input: Tensor, weight: Tensor, bias: Tensor | null, pass: Pass): Tensor {
    if (pass.precision !== "bfloat16") return this.operator(input, weight, bias, pass);
    return inBfloat16((...operands) => this.operator(...operands, pass), input, weight, bias);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const weight = this.weightTransform === undefined ? this.weight : this.weightTransform(this.weight, pass);
    return this.applyWith(input, weight, this.bias, pass);
  }

  /**
   * Names of the weight and of the bias, if there is one, in a graph. A weight that is transformed without
   * noise is computed now.
   */
  protected onnxWeights(sketch: OnnxSketch): { readonly weight: string; readonly bias: readonly string[] } {
    const { weightTransform: transform, weight, bias } = this;
    const other = bias === null ? [] : [sketch.weight(bias)];
    if (transform === undefined) return { weight: sketch.weight(weight), bias: other };
    const { noiseFree } = sketch;
    if (transform.randomized === true && !noiseFree) {
      if (transform.onnx === undefined)
        throw new TypeError("its random weights have no form in ONNX: write it noise-free");
      return { weight: transform.onnx(sketch.weight(weight), weight.shape, sketch), bias: other };
    }
    const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, 1) };
    const folded = transform(weight, { training: false, noiseFree, noise });
    return { weight: sketch.weight(folded), bias: other };
  }
}
