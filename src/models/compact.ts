import * as z from "zod";
import { type Seed, scope, type Tensor, tensor } from "../engine/index.js";
import { type Conv2d, conv2d, Flatten, linear, MaxPool2d, type Module, ReLU, Sequential } from "../nn/index.js";
import { defineModel } from "./model.js";

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
function startAsThresholds(layer: Conv2d): Conv2d {
  const [weights, biases] = scope(() => [layer.weight.detach().contiguous().toNumbers(), layer.bias!.toNumbers()]);
  for (const [filter, threshold] of thresholds.entries()) {
    const first = 9 * filter;
    for (let i = first; i < first + 9; i++) weights[i]! *= randomShare;
    weights[first + 4]! += steepness;
    biases[filter] = -steepness * threshold;
  }
  setValues(layer.weight, weights);
  setValues(layer.bias!, biases);
  return layer;
}

function layers(seed: Seed, withThresholds: boolean): Module {
  const conv = (name: string, from: number, to: number) =>
    conv2d(seed, name, { in: from, out: to, kernel: 3, padding: 1 });
  const first = conv("conv1", 1, 8);
  return new Sequential({
    conv1: withThresholds ? startAsThresholds(first) : first,
    relu1: new ReLU(),
    pool1: new MaxPool2d(2),
    conv2: conv("conv2", 8, 16),
    relu2: new ReLU(),
    pool2: new MaxPool2d(2),
    conv3: conv("conv3", 16, 32),
    relu3: new ReLU(),
    pool3: new MaxPool2d(2),
    flatten: new Flatten(),
    fc1: linear(seed, "fc1", { in: 288, out: 64 }),
    relu4: new ReLU(),
    fc2: linear(seed, "fc2", { in: 64, out: 10 }),
  });
}

/** A quarter of SMALL's arithmetic, in the same form, for training runs of seconds. */
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
