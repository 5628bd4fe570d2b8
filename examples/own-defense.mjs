// A defense of your own: reads pixels with fewer bits. Its rounding has no gradient, so it names a surrogate.
// npx sqa --import ./examples/own-defense.mjs train --preset mnist-short --defense "bit-depth(bits=3)"
import { defenses, defineDefense, z } from "sqa";
import { Module } from "sqa/nn";

/** Rounds pixels to a number of levels; in a noise-free pass it leaves them as they are. */
class BitDepth extends Module {
  /** @param {number} levels */
  constructor(levels) {
    super();
    this.levels = levels;
  }

  /**
   * @param {import("sqa").Tensor} images
   * @param {import("sqa/nn").Pass} pass
   */
  forward(images, pass) {
    if (pass.noiseFree) return images;
    const rounded = images.detach().mul(this.levels).round().div(this.levels);
    // The difference is zero, and passes the gradient on.
    return rounded.add(images.sub(images.detach()));
  }
}

export const bitDepth = defineDefense("bit-depth", {
  summary: "reads pixels with fewer bits (Xu et al. 2018), with a straight-through gradient",
  options: z.strictObject({ bits: z.int().min(1).max(7).default(3).describe("bits of a pixel") }),
  create: ({ bits }) => ({
    randomized: false,
    advice: "attack the model without the rounding, whose gradient is straight-through",
    apply: (model) => {
      model.module.inputTransforms.push(new BitDepth(2 ** bits - 1));
    },
    surrogates: (model) => ({ "full-depth": model.classifier({ noiseFree: true }) }),
  }),
});
defenses.register(bitDepth);
