import * as z from "zod";
import { defineDefense } from "./defense.js";
import { binarizeWeights, binary, clipBinaryWeights } from "./quantization/binary.js";

/**
 * Binary weights (Yoon, Park and Kim, equations 6 and 7, after Courbariaux et al. 2015): +1 or -1 forward,
 * real weights under them that training changes.
 *
 * @example
 * binaryWeights({ stochastic: true })
 */
export const binaryWeights = defineDefense("binary-weights", {
  summary: "weights of +1 and -1, by their sign or drawn (the paper's equations 6 and 7)",
  options: z.strictObject({
    layers: z
      .string()
      .default("**")
      .describe("layers whose weights are binarized: a name, or a pattern with *"),
    stochastic: z.boolean().default(false).describe("draw each weight, +1 with probability (w + 1) / 2"),
  }),
  create: ({ layers, stochastic }) => ({
    randomized: stochastic,
    advice: "attack the real weights, clipped to [-1, 1], as well",
    apply(model) {
      binarizeWeights(model.module, {
        [layers]: binary({ mode: stochastic ? "stochastic" : "deterministic" }),
      });
    },
    surrogates: (model) => ({ "noise-free": model.classifier({ noiseFree: true }) }),
    afterUpdate: (model) => clipBinaryWeights(model.module),
  }),
});
