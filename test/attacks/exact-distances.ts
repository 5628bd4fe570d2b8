import type { Norm } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";

/**
 * Rows of a linear network of three classes: its boundaries are planes, and the closest points to them are
 * known.
 */
const weights = [
  [0.9, 0.2, -0.4, 0.5],
  [0.1, 0.6, 0.3, -0.2],
  [0.7, 0.5, -0.1, 0.0],
];
const pixels = [
  [0.5, 0.5, 0.5, 0.5],
  [0.3, 0.6, 0.6, 0.3],
  [0.6, 0.4, 0.6, 0.4],
  [0.4, 0.5, 0.6, 0.6],
];

export const linear: Classifier = {
  inputShape: [1, 2, 2],
  classes: 3,
  randomized: false,
  logits: (images) => images.flatten(1).matmul(tensor(weights.flat(), [3, 4]).permute([1, 0])),
};

/**
 * The same network with noise on every logit: most draws change their class where the network without noise
 * does.
 */
export const noisyLinear: Classifier = {
  ...linear,
  randomized: true,
  logits: (images, noise) =>
    linear.logits(images, noise).add(countedUniform(noise, 0, [3]).sub(0.5).mul(0.3)),
};

export const linearImages = tensor(pixels.flat(), [4, 1, 2, 2]);
export const linearContext = { seed: deriveSeed(0, "linear"), imageIds: imageIdRange(0, 4) };
export const linearLabels = linear.logits(linearImages, { ...linearContext, draw: 0 }).argmax(1);

const dualLength: Record<Norm, (w: number[]) => number> = {
  linf: (w) => w.reduce((sum, value) => sum + Math.abs(value), 0),
  l2: (w) => Math.hypot(...w),
  l1: (w) => Math.max(...w.map(Math.abs)),
};

/**
 * The distance of each image to the nearest plane on which another class leads; no pixel has to leave [0, 1]
 * for it.
 */
export const exactDistances = (norm: Norm): number[] =>
  pixels.map((x, i) => {
    const own = Number(linearLabels.toArray()[i]);
    const planes = weights
      .filter((_, k) => k !== own)
      .map((row) => row.map((value, j) => weights[own]![j]! - value));
    return Math.min(
      ...planes.map(
        (w) => Math.abs(w.reduce((sum, value, j) => sum + value * x[j]!, 0)) / dualLength[norm](w),
      ),
    );
  });
