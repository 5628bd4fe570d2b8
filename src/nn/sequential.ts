import type { Tensor } from "../engine/index.js";
import { applyFused } from "./fusion.js";
import { Module, type Pass } from "./module.js";

/** Applies modules one after another. Those that can be evaluated as one are, to the same values but for the last bits. */
export function applyInTurn(layers: readonly Module[], input: Tensor, pass: Pass): Tensor {
  let hidden = input;
  for (let i = 0; i < layers.length; ) {
    const fused = applyFused(layers.slice(i, i + 3), hidden, pass);
    hidden = fused?.output ?? layers[i]!.apply(hidden, pass);
    i += fused?.layers ?? 1;
  }
  return hidden;
}

/** Modules one after another, each under its own name. */
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
    return applyInTurn(this.#layers, input, pass);
  }
}
