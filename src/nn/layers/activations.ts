import type { Tensor } from "../../engine/index.js";
import { Module } from "../module.js";
import { checkFinite, checkOptions } from "./arguments.js";

/** max(x, 0). */
export class ReLU extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.relu();
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
}

/** x * sigmoid(x), also called swish. */
export class SiLU extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.silu();
  }
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.sigmoid();
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.tanh();
  }
}
