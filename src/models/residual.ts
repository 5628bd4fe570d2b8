import * as z from "zod";
import type { Seed } from "../base/index.js";
import { Conv2d } from "../nn/index.js";
import { normalizedImageOptions } from "./architecture.js";
import type { Activations, ImageShape } from "./model.js";

/** Images of CIFAR, which residual networks take where nothing else says so. */
export const cifarImages = { inputShape: [3, 32, 32], classes: 10 } as const;

/** Options of residual networks whose stages are 1, 2, 4 and 8 times as wide as the first. */
export const stagedOptions = normalizedImageOptions.extend({
  width: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe("channels of the first stage; fewer than the published 64 make a small relative for a CPU"),
});

/** Throws a RangeError unless a residual network takes images of a size. */
export function checkSize([, height, width]: ImageShape): void {
  if (Math.min(height, width) >= 8 && Math.max(height, width) <= 512) return;
  throw new RangeError(
    `residual networks take images of 8 x 8 to 512 x 512 pixels, not ${height} x ${width}`,
  );
}

/**
 * Convolution of a residual network: the same size but for the stride, no bias, Kaiming's normal start over
 * the fan out.
 */
export function convolution(seed: Seed, from: number, to: number, kernel: 1 | 3 | 7, stride = 1): Conv2d {
  const padding = (kernel - 1) / 2;
  return new Conv2d(from, to, kernel, {
    stride,
    padding,
    bias: false,
    initialization: "kaiming-normal",
    seed,
  });
}

/**
 * Activations of a residual network: after its first layer, and after blocks. `stages` holds names and
 * numbers of blocks.
 */
export function residualActivations(
  firstLayer: string,
  stages: readonly (readonly [name: string, blocks: number])[],
): Activations {
  const blocks = stages.flatMap(([stage, count]) =>
    Array.from({ length: count }, (_, block) => `${stage}.${block}`),
  );
  return {
    "first-layer": [firstLayer],
    blocks,
    stages: stages.map(([stage, count]) => `${stage}.${count - 1}`),
    "first-block": blocks.slice(0, 1),
  };
}
