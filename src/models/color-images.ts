import * as z from "zod";
import { type Module, Normalize } from "../nn/index.js";

/** Mean and standard deviation of each channel over all pixels of the training images, in [0, 1]. */
const statistics = {
  cifar10: { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] },
  cifar100: { mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] },
} as const;

/** Where SQA stands by default, beside the first layer: the paper's section 4.1 can be read in each of these ways. */
export const quantizedPlaces = ["blocks", "stages", "first-block", "first-layer"] as const;

/** Options of every network for color images of 32 x 32 (CIFAR). */
export const colorImageOptions = z.strictObject({
  classes: z.int().min(2).max(100_000).default(10).describe("number of classes"),
  normalization: z
    .enum(["cifar10", "cifar100", "none"])
    .default("cifar10")
    .describe("whose mean and deviation of each channel the first layer takes out"),
  quantized: z
    .enum(quantizedPlaces)
    .default("blocks")
    .describe("after which modules --sqa quantizes beside the first layer: each block, each stage's last, the first"),
});

/** Options of networks whose stages are 1, 2, 4 and 8 times as wide as the first. */
export const stagedImageOptions = colorImageOptions.extend({
  width: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe("channels of the first stage; fewer than the published 64 make a small relative for a CPU"),
});

export const colorImageShape = [3, 32, 32] as const;

/** The first layer of a network, by its name: images in [0, 1] to what its weights expect. */
export function normalizationLayer(of: "cifar10" | "cifar100" | "none"): Record<string, Module> {
  return of === "none" ? {} : { normalize: new Normalize(statistics[of].mean, statistics[of].deviation) };
}

/**
 * SQA's default places: lambda 1 after the first layer, lambda 2 after the blocks that the option `quantized` names.
 * `stages` holds each stage's name and number of blocks.
 */
// paper: section 4.1 quantizes the first layer with lambda 1 and "the bottleneck module" with lambda 2, without saying which.
export function defaultPlaces(
  firstLayer: string,
  stages: readonly (readonly [name: string, blocks: number])[],
  quantized: (typeof quantizedPlaces)[number],
): Record<string, number> {
  const all = stages.flatMap(([stage, blocks]) => Array.from({ length: blocks }, (_, block) => `${stage}.${block}`));
  const chosen = {
    blocks: all,
    stages: stages.map(([stage, blocks]) => `${stage}.${blocks - 1}`),
    "first-block": all.slice(0, 1),
    "first-layer": [],
  }[quantized];
  return { [firstLayer]: 1, ...Object.fromEntries(chosen.map((block) => [block, 2])) };
}
