import * as z from "zod";
import { type Seed, scope, type Tensor, tensor } from "../engine/index.js";
import type { Module } from "../nn/index.js";
import { defineModel } from "./model.js";
import { vanillaCnnLayers } from "./vanilla-cnn.js";

/** Pixels' values at which the first filters begin to answer, and how steeply they do. */
const thresholds = [0.3, 0.5, 0.7] as const;
const steepness = 3;
/** What remains of the filters' random start beside it. */
const randomShare = 0.3;

function setValues(parameter: Tensor, values: readonly number[]): void {
  scope(() => parameter.detach().copy_(tensor(Float32Array.from(values), parameter.shape)));
}

/**
 * Lets the first filters of a 3x3 convolution of gray images start as ReLU(steepness * (pixel - threshold)). Trained against
 * l-infinity perturbations of 0.3, networks find three such filters by themselves (Madry et al. 2018, appendix C), in the first
 * of their many epochs; from here a few are enough.
 */
function startAsThresholds(weight: Tensor, bias: Tensor): void {
  const [weights, biases] = scope(() => [weight.detach().contiguous().toNumbers(), bias.toNumbers()]);
  for (const [filter, threshold] of thresholds.entries()) {
    const first = 9 * filter;
    for (let i = first; i < first + 9; i++) weights[i]! *= randomShare;
    weights[first + 4]! += steepness;
    biases[filter] = -steepness * threshold;
  }
  setValues(weight, weights);
  setValues(bias, biases);
}

function layers(seed: Seed, withThresholds: boolean): Module {
  const network = vanillaCnnLayers(seed, 8);
  const state = network.state();
  if (withThresholds) startAsThresholds(state.get("conv1.weight")!, state.get("conv1.bias")!);
  return network;
}

/** A quarter of SMALL's arithmetic, in the same form, for training in a minute. */
export const compact = defineModel("compact", {
  summary: "the vanilla CNN with 8, 16 and 32 filters, the first three of them thresholds, for 28 x 28 images",
  options: z.strictObject({
    thresholds: z.boolean().default(true).describe("start three first filters as thresholds of a pixel, not at random"),
  }),
  architecture: ({ thresholds: withThresholds }) => ({
    inputShape: [1, 28, 28],
    classes: 10,
    quantizedLayers: { relu1: 1, relu2: 2 },
    layers: (seed) => layers(seed, withThresholds),
  }),
});
