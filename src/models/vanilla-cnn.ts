import * as z from "zod";
import type { Seed } from "../base/index.js";
import { batchNorm2d, conv2d, Flatten, linear, MaxPool2d, type Module, ReLU, Sequential } from "../nn/index.js";
import { defineModel, type ModelDefinition } from "./model.js";

/** The paper's vanilla CNN: three blocks of convolution, ReLU and pooling, and two fully connected layers. */
// paper: gives the numbers of filters only; 3x3 kernels and 8 * channels hidden units are this project's reading.
export function vanillaCnnLayers(
  seed: Seed,
  channels: number,
  { batchNorm = false, first = {} }: { batchNorm?: boolean; first?: Record<string, Module> } = {},
): Sequential {
  const block = (index: number, from: number, to: number): Record<string, Module> => ({
    [`conv${index}`]: conv2d(seed, `conv${index}`, { in: from, out: to, kernel: 3, padding: 1 }),
    ...(batchNorm ? { [`bn${index}`]: batchNorm2d(to) } : {}),
    [`relu${index}`]: new ReLU(),
    [`pool${index}`]: new MaxPool2d(2),
  });
  return new Sequential({
    ...first,
    ...block(1, 1, channels),
    ...block(2, channels, 2 * channels),
    ...block(3, 2 * channels, 4 * channels),
    flatten: new Flatten(),
    fc1: linear(seed, "fc1", { in: 36 * channels, out: 8 * channels }),
    relu4: new ReLU(),
    fc2: linear(seed, "fc2", { in: 8 * channels, out: 10 }),
  });
}

function vanillaCnn(name: string, channels: number): ModelDefinition {
  return defineModel(name, {
    summary: `the paper's vanilla CNN with ${channels}, ${2 * channels} and ${4 * channels} filters, for 28 x 28 images`,
    options: z.strictObject({
      batchNorm: z.boolean().default(false).describe("batch normalization after each convolution"),
    }),
    architecture: ({ batchNorm }) => ({
      inputShape: [1, 28, 28],
      classes: 10,
      quantizedLayers: { relu1: 1, relu2: 2 },
      layers: (seed) => vanillaCnnLayers(seed, channels, { batchNorm }),
    }),
  });
}

export const small = vanillaCnn("small", 16);
export const large = vanillaCnn("large", 64);
