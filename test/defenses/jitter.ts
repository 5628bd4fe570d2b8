import * as z from "zod";
import { defineDefense } from "../../src/defenses/index.js";
import { type Tensor, uniform } from "../../src/engine/index.js";
import { Module, type Pass } from "../../src/nn/index.js";

/** Adds uniform noise in [-amount, amount] to each pixel. */
class Jitter extends Module {
  constructor(readonly amount: number) {
    super();
  }

  override get randomized(): boolean {
    return true;
  }

  protected override forward(input: Tensor, { noise, noiseFree }: Pass): Tensor {
    if (noiseFree) return input;
    return input.add(
      uniform(noise, input.shape.slice(1), this.noiseStream)
        .sub(0.5)
        .mul(2 * this.amount),
    );
  }
}

/** Defense of somebody else's. */
export const jitter = defineDefense("jitter", {
  summary: "uniform noise on each pixel",
  options: z.strictObject({ amount: z.number().min(0).default(0.1).describe("largest change of a pixel") }),
  create: ({ amount }) => ({
    randomized: true,
    advice: "average gradients over draws, and attack without the noise as well",
    apply: (model) => void model.module.inputTransforms.unshift(new Jitter(amount)),
    surrogates: (model) => ({ "noise-free": model.classifier({ noiseFree: true }) }),
  }),
});
