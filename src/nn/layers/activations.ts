import type { Tensor } from "../../engine/index.js";
import { Module } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import { checkFinite, checkOptions } from "./arguments.js";

/** max(x, 0). */
export class ReLU extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.relu();
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("Relu", [input]);
  }
}

/**
 * x above 0, slope * x below.
 *
 * @param slope The slope below 0; 0.01 when left out.
 */
export class LeakyReLU extends Module {
  constructor(readonly slope = 0.01) {
    super();
    checkFinite("slope", slope, "a finite number", () => true);
  }

  protected override forward(input: Tensor): Tensor {
    return input.leakyRelu(this.slope);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("LeakyRelu", [input], { alpha: attribute.float(this.slope) });
  }
}

/** Options of GELU. */
export interface GELUOptions {
  /** `none`, the default, is exact; `tanh` is the formula of the first transformers. */
  readonly approximation?: "none" | "tanh";
}

/** x * Phi(x), with the normal distribution function Phi (Hendrycks and Gimpel 2016). */
export class GELU extends Module {
  readonly approximation: "none" | "tanh";

  constructor(options: GELUOptions = {}) {
    super();
    checkOptions("GELU", options, ["approximation"]);
    this.approximation = options.approximation ?? "none";
    if (this.approximation !== "none" && this.approximation !== "tanh") {
      throw new RangeError(`approximation must be "none" or "tanh", not "${this.approximation}"`);
    }
  }

  protected override forward(input: Tensor): Tensor {
    return input.gelu(this.approximation);
  }

  // Gelu is an operator of its own from version 20 of the operator set on.
  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const times = (value: OnnxEdge, factor: number) => sketch.node("Mul", [value, sketch.constant(factor)]);
    const gate = () => {
      if (this.approximation === "none") return sketch.node("Erf", [times(input, Math.SQRT1_2)]);
      const cube = sketch.node("Mul", [sketch.node("Mul", [input, input]), input]);
      const inner = sketch.node("Add", [input, times(cube, 0.044715)]);
      return sketch.node("Tanh", [times(inner, Math.sqrt(2 / Math.PI))]);
    };
    const share = times(sketch.node("Add", [gate(), sketch.constant(1)]), 0.5);
    return sketch.node("Mul", [input, share]);
  }
}

/** x * sigmoid(x), also called swish. */
export class SiLU extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.silu();
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("Mul", [input, sketch.node("Sigmoid", [input])]);
  }
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.sigmoid();
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("Sigmoid", [input]);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.tanh();
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("Tanh", [input]);
  }
}
