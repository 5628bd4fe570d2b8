import * as z from "zod";
import { checkKind, deriveSeed, isObject, type Seed } from "../base/index.js";
import { placeAfter, placedQuantizers, sqa, sqaOptions } from "../defenses/index.js";
import { largestLambda } from "../engine/index.js";
import { type Classifier, classifierOf, isRandomized, type Module, type Precision } from "../nn/index.js";
import { formatCall } from "../options/call.js";
import type { Definition } from "../options/named.js";
import { changedOptions, parseOptions } from "../options/schema.js";

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
  /** The network's name, and its options where they are not the defaults. */
  readonly network: string;
  readonly module: Module;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /**
   * The network in evaluation mode; `quantization: false` gives its deterministic twin. What is reported is in float32, the
   * default; bfloat16 is for the attacks of training.
   */
  classifier(options?: { quantization?: boolean; precision?: Precision }): Classifier;
}

/** A network whose options are chosen, yet to be built. */
export interface Network {
  /** Its name, without options. */
  readonly name: string;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** After which layers the paper places SQA, with lambda. */
  readonly quantizedLayers: Readonly<Record<string, number>>;
  /** Builds the network, initialized for the seed; with `sqa`, quantizers are placed. */
  build(options: { seed: number; sqa?: QuantizationOptions | undefined }): Model;
}

/** A kind of network, the contract of every file of this folder; itself the network of its default options. */
export interface ModelDefinition extends Definition<Network>, Network {}

/** What a network's options decide. */
interface Architecture extends Omit<Network, "name" | "build"> {
  /** The modules, initialized for a seed. */
  layers(seed: Seed): Module;
}

function buildModel(
  name: string,
  network: string,
  { inputShape, classes, quantizedLayers, layers }: Architecture,
  { seed, sqa: quantization }: Parameters<Network["build"]>[0],
): Model {
  const module = layers(deriveSeed(seed, "network", name));
  if (quantization !== undefined) {
    const checked = parseOptions("quantization", "sqa", quantizationOptions, quantization);
    const { layers: places = quantizedLayers, ...rest } = checked;
    // By name, as a run's config.json has them: a quantizer's noise is keyed by its place in this order.
    const placement = Object.entries(places)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([layer, lambda]) => [layer, sqa({ lambda, ...rest })] as const);
    placeAfter(module, Object.fromEntries(placement));
  }
  return {
    network,
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
}

/** Defines a network: `architecture` says for checked options what its modules and its images are. */
export function defineModel<Schema extends z.ZodObject>(
  name: string,
  definition: { summary: string; options: Schema; architecture(options: z.output<Schema>): Architecture },
): ModelDefinition {
  const { summary, options: schema } = definition;
  const create = (options: Record<string, unknown>): Network => {
    const checked = parseOptions("network", name, schema, options);
    const architecture = definition.architecture(checked);
    const label = formatCall(name, changedOptions(schema, checked));
    const { inputShape, classes, quantizedLayers } = architecture;
    const build: Network["build"] = (given) => {
      checkKind("options", given, "an object such as { seed: 0 }", isObject(given));
      return buildModel(name, label, architecture, given);
    };
    return { name, inputShape, classes, quantizedLayers, build };
  };
  return { summary, options: schema, create, ...create({}) };
}
