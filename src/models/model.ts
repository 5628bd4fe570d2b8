import * as z from "zod";
import { deriveSeed, largestLambda, type Seed } from "../engine/index.js";
import { type Classifier, classifierOf, isRandomized, type Module } from "../nn/index.js";
import { parseOptions } from "../options/schema.js";
import { placeAfter, placedQuantizers, sqa, sqaOptions } from "../quantization/index.js";

/** Where SQA stands in a network, and how it quantizes there. */
export const quantizationOptions = z.strictObject({
  layers: z
    .record(z.string(), z.int().min(1).max(largestLambda))
    .refine((layers) => Object.keys(layers).length > 0, "at least one layer is needed; a network without SQA has none")
    .meta({ accepted: `whole numbers in [1, ${largestLambda}], by layer, such as relu1=2` })
    .optional()
    .describe("lambda after each named layer; default: the paper's"),
  range: sqaOptions.shape.range,
  rounding: sqaOptions.shape.rounding,
});
export type QuantizationOptions = z.input<typeof quantizationOptions>;

/** A network ready to train, attack and evaluate. */
export interface Model {
  readonly network: string;
  readonly module: Module;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** The network in evaluation mode; `quantization: false` gives its deterministic twin. */
  classifier(options?: { quantization?: boolean }): Classifier;
}

/** A kind of network that can be built: the contract of every file of this folder. */
export interface ModelDefinition {
  readonly name: string;
  readonly summary: string;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** After which layers the paper places SQA, with lambda. */
  readonly quantizedLayers: Readonly<Record<string, number>>;
  /** Builds the network, initialized for the seed; with `sqa`, quantizers are placed. */
  build(options: { seed: number; batchNorm?: boolean | undefined; sqa?: QuantizationOptions | undefined }): Model;
}

/** Defines a network: `layers` makes its modules for a seed. */
export function defineModel(
  name: string,
  definition: Omit<ModelDefinition, "name" | "build"> & {
    layers(seed: Seed, options: { batchNorm: boolean }): Module;
  },
): ModelDefinition {
  const { summary, inputShape, classes, quantizedLayers } = definition;
  return {
    name,
    summary,
    inputShape,
    classes,
    quantizedLayers,
    build({ seed, batchNorm = false, sqa: quantization }) {
      const module = definition.layers(deriveSeed(seed, "network", name), { batchNorm });
      if (quantization !== undefined) {
        const { layers = quantizedLayers, ...rest } = parseOptions(
          "quantization",
          "sqa",
          quantizationOptions,
          quantization,
        );
        const placement = Object.entries(layers).map(([layer, lambda]) => [layer, sqa({ lambda, ...rest })] as const);
        placeAfter(module, Object.fromEntries(placement));
      }
      return {
        network: name,
        module,
        inputShape,
        classes,
        classifier: (options = {}) =>
          classifierOf(module, {
            inputShape,
            classes,
            randomized: isRandomized(module),
            quantizerGradients: placedQuantizers(module).length > 0 ? ["staircase", "range"] : [],
            ...options,
          }),
      };
    },
  };
}
