import { defineDefense } from "./defense.js";
import { quantizedLayers, quantizedLayersOptions } from "./quantization/quantized-layers.js";

/**
 * Quantizers that round to the nearest level, in the places of SQA: the paper's Figure 1 compares the two.
 *
 * @example
 * deterministicQuantization({ layers: { relu1: 1 } })
 */
export const deterministicQuantization = defineDefense("deterministic-quantization", {
  summary: "quantizers after early activations that round to the nearest level",
  options: quantizedLayersOptions,
  spread: "layers",
  create: (options) =>
    quantizedLayers(options, {
      name: "deterministic-quantization",
      rounding: "nearest",
      advice: "attack without the quantizers as well, whose gradient is straight-through",
    }),
});
