import type { Seed } from "../../src/base/index.js";
import type { Split } from "../../src/datasets/index.js";
import { countedUniform, type Noise, operators as ops, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { splitFor } from "./splits.js";

/** Images of random-looking pixels, (1, 2, 2), all of class 0. */
export function splitOfZeros(count: number): Split {
  const images = Uint8Array.from({ length: count * 4 }, (_, i) => (i * 37) % 256);
  return splitFor({ inputShape: [1, 2, 2], classes: 2 }, images, new Uint8Array(count));
}

/**
 * Classifier that answers class 0 with probability p, whatever the image, and class 1 otherwise. Its noise is
 * mixed with the image's pixels, so that an attacker who knows the draw could choose an image that is
 * answered wrong.
 */
export function coin(p: number): Classifier & { readonly seeds: Set<string> } {
  const seeds = new Set<string>();
  return {
    inputShape: [1, 2, 2],
    classes: 2,
    randomized: true,
    seeds,
    logits(images: Tensor, noise: Noise) {
      seeds.add(seedText(noise.seed as Seed));
      const pixels = images.detach().sumDim([1, 2, 3]).mul(997);
      const mixed = countedUniform(noise, 0, []).add(pixels);
      const uniforms = mixed.sub(mixed.floor());
      const first = uniforms.lt(p).to("float32").mul(2).sub(1);
      // Attacks want a gradient, here zero.
      return ops.stack([first, first.neg()], 1).add(images.mul(0).sumDim([1, 2, 3]).unsqueeze(1));
    },
  };
}

export const seedText = ({ low, high }: Seed) => `${low}-${high}`;
