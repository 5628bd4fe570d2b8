import { defineDefense } from "./defense.js";
import { quantizedLayers, quantizedLayersOptions } from "./quantization/quantized-layers.js";

/**
 * Stochastic Quantized Activation: random quantizers after early activations (Yoon, Park and Kim, Algorithm
 * 1). Without `layers` they stand in the paper's places.
 *
 * @example
 * sqa({ layers: { relu1: 1, relu2: 2 } })
 */
export const sqa = defineDefense("sqa", {
  summary: "Stochastic Quantized Activation: random quantizers after early activations, the paper's defense",
  options: quantizedLayersOptions,
  spread: "layers",
  create: (options) =>
    quantizedLayers(options, {
      name: "sqa",
      rounding: "stochastic",
      advice: "average gradients over draws, and attack the noise-free mean as well",
    }),
});
