import type { Seed } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import { checkCount, checkOptions, checkShape } from "./arguments.js";
import { startWith, uniformStart } from "./initialization.js";
import { WeightedLayer } from "./weighted-layer.js";

/** Options of a fully connected layer. */
export interface LinearOptions {
  /** Keys the first weights, together with the layer's name in its network. */
  readonly seed: number | Seed;
  /** A number added to each output; true when left out. */
  readonly bias?: boolean;
}

/**
 * Fully connected layer: (N, inputs) to (N, outputs). Its weight is (outputs, inputs), its bias (outputs) or
 * null.
 *
 * @example new Linear(512, 10, { seed: 0 });
 */
export class Linear extends WeightedLayer {
  constructor(inputs: number, outputs: number, options: LinearOptions) {
    super();
    checkCount("inputs", inputs);
    checkCount("outputs", outputs);
    checkOptions("Linear", options, ["seed", "bias"]);
    const { seed, bias = true } = options;
    startWith(this, {
      weight: uniformStart(seed, [outputs, inputs], inputs),
      bias: bias ? uniformStart(seed, [outputs], inputs) : null,
    });
  }

  /** A layer of given tensors: weight (outputs, inputs), bias (outputs) or null. */
  static of(weight: Tensor, bias: Tensor | null = null): Linear {
    checkShape("weight", weight, [null, null]);
    if (bias !== null) checkShape("bias", bias, [weight.shape[0]!]);
    const [outputs, inputs] = weight.shape as [number, number];
    return Object.assign(new Linear(inputs, outputs, { seed: 0 }), { weight, bias });
  }

  protected override operator(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
    return ops.linear(input, weight, bias);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { weight, bias } = this.onnxWeights(sketch);
    const shape = [...input.shape.slice(0, -1), this.weight.shape[0]!];
    if (input.shape.length === 1)
      return sketch.node("Gemm", [input, weight, ...bias], { transB: attribute.int(1) }, shape);
    const turned = sketch.node("Transpose", [weight], { perm: attribute.ints([1, 0]) });
    const product = sketch.node("MatMul", [input, turned], {}, shape);
    return bias.length === 0 ? product : sketch.node("Add", [product, ...bias]);
  }
}
