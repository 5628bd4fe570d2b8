import * as z from "zod";
import { largestLambda } from "../../engine/index.js";
import type { DefenseWork, Model } from "../../models/index.js";
import { ReLU } from "../../nn/index.js";
import { someNames } from "../layer-names.js";
import { placeAfter } from "./place.js";
import { quantizer, quantizerOptions } from "./quantizer.js";

/** Options of defenses that quantize activations. */
export const quantizedLayersOptions = z.strictObject({
  layers: z
    .record(z.string(), z.int().min(1).max(largestLambda))
    .meta({ accepted: `whole numbers in [1, ${largestLambda}], by layer, such as relu1=2` })
    .optional()
    .describe("lambda (levels - 1) after each named layer (default: the paper's places)"),
  places: z
    .enum(["first-block", "first-layer", "stages", "blocks"])
    .default("first-block")
    .describe("where a residual network is quantized beside its first layer, if no layers are named"),
  range: quantizerOptions.shape.range,
});
type QuantizedLayers = z.output<typeof quantizedLayersOptions>;

/**
 * Layers with their lambda: those that are named, else the paper's. These are lambda 1 after the first layer,
 * and lambda 2 after the second layer, or after the first block of a residual network (section 4.1).
 * RangeError for a model without places.
 */
// paper: section 4.1 says "its bottleneck module", in the singular, with lambda 2;
// docs/reproduction/readings.md compares what it can mean.
function layersOf(
  model: Model,
  defense: string,
  { layers, places }: QuantizedLayers,
): Readonly<Record<string, number>> {
  if (layers !== undefined) return layers;
  const { activations, module, name } = model;
  const first = activations["first-layer"];
  if (first === undefined) {
    const known = module.namedModules();
    const [example] = known.find(([, layer]) => layer instanceof ReLU) ?? known[0] ?? ["relu1"];
    throw new RangeError(
      `model ${name} names no places for quantizers: name layers, as in ${defense}(${example}=1); ` +
        `it has ${someNames(known.map(([layer]) => layer))}`,
    );
  }
  const others = activations["second-layer"] ?? activations[places] ?? [];
  const later = places === "first-layer" ? [] : others;
  return Object.fromEntries([...first.map((layer) => [layer, 1]), ...later.map((layer) => [layer, 2])]);
}

/** Defense that quantizes activations, with rounding of a kind. */
export function quantizedLayers(
  options: QuantizedLayers,
  {
    name,
    rounding,
    advice,
  }: { readonly name: string; readonly rounding: "stochastic" | "nearest"; readonly advice: string },
): DefenseWork {
  return {
    randomized: rounding === "stochastic",
    advice,
    apply(model) {
      // By name: a quantizer's noise is keyed by its place in this order.
      const placement = Object.entries(layersOf(model, name, options))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([layer, lambda]) => [layer, quantizer({ lambda, range: options.range, rounding })] as const);
      placeAfter(model.module, Object.fromEntries(placement));
    },
    surrogates: (model) => ({
      "noise-free": model.classifier({ noiseFree: true }),
      staircase: model.classifier({ quantizerGradient: "staircase" }),
      range: model.classifier({ quantizerGradient: "range" }),
    }),
  };
}
