import type { Tensor } from "../../engine/index.js";
import { Module } from "../../nn/index.js";

/** Place of a node in a model: where a defense can follow it, and where its noise comes from. */
export class NodePlace extends Module {
  constructor(readonly isRandom: boolean) {
    super();
  }

  /** Stream of the node's noise. */
  get stream(): number {
    return this.noiseStream;
  }

  override get randomized(): boolean {
    return this.isRandom;
  }

  protected override forward(input: Tensor): Tensor {
    return input;
  }
}
