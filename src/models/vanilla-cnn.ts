import * as z from "zod";
import type { Seed } from "../base/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from "../nn/index.js";
import { defineModel, imageOptions } from "./architecture.js";
import type { ImageShape } from "./model.js";

/** Sizes of a vanilla CNN. */
interface Sizes {
  /** Filters of the first convolution; the second and third have twice and four times as many. */
  readonly filters: number;
  readonly inputShape: ImageShape;
  readonly classes: number;
  readonly batchNorm?: boolean;
  readonly hiddenNorm?: boolean;
  /** Modules before the first convolution, by name. */
  readonly first?: Record<string, Module>;
}

/** The paper's vanilla CNN: three blocks of convolution, ReLU and pooling, and two fully connected layers. */
// paper: gives the numbers of filters only; 3x3 kernels and 8 * filters hidden units are this project's
// reading.
export function vanillaCnnLayers(
  seed: Seed,
  { filters, inputShape, classes, batchNorm, hiddenNorm, first }: Sizes,
): Sequential {
  const [channels, height, width] = inputShape;
  const block = (index: number, from: number, to: number): Record<string, Module> => ({
    [`conv${index}`]: new Conv2d(from, to, 3, { padding: 1, seed }),
    ...(batchNorm ? { [`bn${index}`]: new BatchNorm2d(to) } : {}),
    [`relu${index}`]: new ReLU(),
    [`pool${index}`]: new MaxPool2d(2),
  });
  const features = 4 * filters * Math.floor(height / 8) * Math.floor(width / 8);
  if (features === 0)
    throw new RangeError(`a vanilla CNN takes images of 8 x 8 or more, not ${height} x ${width}`);
  return new Sequential({
    ...first,
    ...block(1, channels, filters),
    ...block(2, filters, 2 * filters),
    ...block(3, 2 * filters, 4 * filters),
    flatten: new Flatten(),
    fc1: new Linear(features, 8 * filters, { seed }),
    ...(hiddenNorm ? { bn4: new BatchNorm2d(8 * filters) } : {}),
    relu4: new ReLU(),
    fc2: new Linear(8 * filters, classes, { seed }),
  });
}

/** Images of MNIST, which the vanilla CNNs are made for. */
export const mnistImages = { inputShape: [1, 28, 28], classes: 10 } as const;

/** Layers of a vanilla CNN that a defense can follow. */
export const vanillaCnnActivations = {
  "first-layer": ["relu1"],
  "second-layer": ["relu2"],
  "third-layer": ["relu3"],
} as const;

function vanillaCnn<const Name extends string>(name: Name, filters: number) {
  return defineModel(name, {
    summary: `the paper's vanilla CNN with ${filters}, ${2 * filters} and ${4 * filters} filters`,
    options: imageOptions.extend({
      batchNorm: z.boolean().default(false).describe("batch normalization after each convolution"),
      hiddenNorm: z.boolean().default(false).describe("batch normalization after the hidden linear layer"),
    }),
    defaults: mnistImages,
    layout: ({ batchNorm, hiddenNorm, inputShape, classes }) => ({
      activations: vanillaCnnActivations,
      layers: (seed) => vanillaCnnLayers(seed, { filters, inputShape, classes, batchNorm, hiddenNorm }),
    }),
  });
}

/** SMALL, the paper's network of 16, 32 and 64 filters. */
export const small = vanillaCnn("small", 16);
/** LARGE, the paper's network of 64, 128 and 256 filters. */
export const large = vanillaCnn("large", 64);
