import * as z from "zod";
import type { ModelDefinition } from "../models/index.js";
import { parameterCount } from "../nn/index.js";
import { sqaOption } from "./network-options.js";

/** A network's own options, and the one that every network has: a flag beside `--network`. */
export function networkOptions({ options }: ModelDefinition): z.ZodObject {
  return z.strictObject({ ...options.shape, "--sqa": sqaOption });
}

/** What a network's own page tells beside its options: shapes, size, and the layers that SQA can follow. */
export function networkFacts(definition: ModelDefinition): string[] {
  const { module } = definition.build({ seed: 0 });
  try {
    const layers = module.namedModules().map(([name]) => name);
    const paper = Object.entries(definition.quantizedLayers).map(([layer, lambda]) => `${layer}=${lambda}`);
    return [
      `images ${definition.inputShape.join(" x ")}, ${definition.classes} classes, ${parameterCount(module)} parameters`,
      `layers: ${layers.join(", ")}`,
      `the paper's places of SQA, with lambda: ${paper.join(", ")}`,
    ];
  } finally {
    module.dispose();
  }
}
