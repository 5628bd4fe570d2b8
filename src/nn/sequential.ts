import type { Tensor } from "../engine/index.js";
import { applyFused } from "./fusion.js";
import { Module, type Pass } from "./module.js";

/** Modules one after another, each under its own name. Blocks that one kernel can evaluate are, to the same values. */
export class Sequential extends Module {
  readonly #named: [string, Module][];
  readonly #layers: Module[];

  constructor(layers: Record<string, Module>) {
    super();
    this.#named = Object.entries(layers);
    this.#layers = Object.values(layers);
  }

  override namedChildren(): [string, Module][] {
    return this.#named;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    let hidden = input;
    for (let i = 0; i < this.#layers.length; ) {
      const fused = applyFused(this.#layers, i, hidden, pass);
      hidden = fused?.output ?? this.#layers[i]!.apply(hidden, pass);
      i += fused?.layers ?? 1;
    }
    return hidden;
  }
}
