import { readFileSync } from "node:fs";
import { deriveSeed } from "../../src/base/index.js";
import {
  countedUniform,
  imageIdRange,
  type Noise,
  operators as ops,
  quantizeActivation,
  setThreads,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";

// Networks this small only wait for threads.
setThreads(1);

interface Stored {
  shape: number[];
  data: number[];
}

/** Entry of an attack in test/golden/attacks_tinycnn.json. */
interface GoldenAttack {
  params: Record<string, unknown>;
  adv: Stored;
  pred: number[];
  linf: number[];
  l2: number[];
  l1: number[];
  margin_traj: Stored;
}

interface Golden {
  weights: Record<string, Stored>;
  x: Stored;
  y: number[];
  logits: Stored;
  grad_ce_sum: Stored;
  attacks: Record<string, GoldenAttack>;
}

/** A tiny network, six images and what the reference implementations made of them. */
export const golden = JSON.parse(
  readFileSync(new URL("../golden/attacks_tinycnn.json", import.meta.url), "utf8"),
) as Golden;

export const load = ({ shape, data }: Stored): Tensor => tensor(Float32Array.from(data), shape);

export const goldenImages = load(golden.x);
export const goldenLabels = tensor(golden.y, [golden.y.length], "int64");

type Weights = Record<"conv1" | "bias1" | "conv2" | "bias2" | "linear" | "bias3", Tensor>;

function network(
  weights: Weights,
  hidden: (h: Tensor, noise: Noise) => Tensor,
  randomized: boolean,
): Classifier {
  return {
    inputShape: [2, 8, 8],
    classes: 10,
    randomized,
    logits(images, noise) {
      const first = hidden(ops.conv2d(images, weights.conv1, weights.bias1, [1, 1], [1, 1]).relu(), noise);
      const second = ops.conv2d(first, weights.conv2, weights.bias2, [2, 2], [1, 1]).relu();
      return ops.linear(second.flatten(1), weights.linear, weights.bias3);
    },
  };
}

const stored = (name: string): Tensor => load(golden.weights[name]!);
const goldenWeights: Weights = {
  conv1: stored("c1.weight"),
  bias1: stored("c1.bias"),
  conv2: stored("c2.weight"),
  bias2: stored("c2.bias"),
  linear: stored("fc.weight"),
  bias3: stored("fc.bias"),
};

/** Random weights of the same sizes; +-0.5 makes confident logits. */
function randomWeights(seed: number): Weights {
  const random = (name: string, shape: number[]) =>
    countedUniform({ seed: deriveSeed(seed, name), draw: 0, imageIds: imageIdRange(0, 1) }, 0, shape)
      .select(0, 0)
      .sub(0.5);
  return {
    conv1: random("conv1", [4, 2, 3, 3]),
    bias1: random("bias1", [4]),
    conv2: random("conv2", [6, 4, 3, 3]),
    bias2: random("bias2", [6]),
    linear: random("linear", [10, 96]),
    bias3: random("bias3", [10]),
  };
}

const plain = (h: Tensor) => h;

/** Activations of five levels by counted noise, straight-through backward. */
const quantized = (h: Tensor, noise: Noise) =>
  quantizeActivation(h, { lambda: 4, range: "image", rounding: "stochastic" }, { noise, stream: 0 });

export const tinyCnn = network(goldenWeights, plain, false);
export const randomCnn = network(randomWeights(1), plain, false);
export const quantizedCnn = network(goldenWeights, quantized, true);

/**
 * Mean logits of a network: over many draws where it is randomized, so that what they say does not hang on
 * one.
 */
function meanLogits(model: Classifier, images: Tensor, noise: Noise): Tensor {
  if (!model.randomized) return model.logits(images, noise);
  const draws = Array.from({ length: 64 }, (_, draw) => model.logits(images, { ...noise, draw }));
  return draws.reduce((sum, logits) => sum.add(logits)).div(draws.length);
}

/** Images of random pixels for the networks here, with the network's own predictions as labels. */
export function randomBatch(
  count: number,
  model: Classifier,
  seed = 7,
): { images: Tensor; labels: Tensor; ids: Tensor } {
  const ids = imageIdRange(100, count);
  const noise = { seed: deriveSeed(seed, "images"), draw: 0, imageIds: ids };
  const images = countedUniform(noise, 0, [2, 8, 8]);
  return { images, labels: meanLogits(model, images, noise).argmax(1), ids };
}

/** The fraction of images that a network gets right: mean over many draws where it is randomized. */
export function accuracy(model: Classifier, images: Tensor, labels: Tensor): number {
  const draws = model.randomized ? 32 : 1;
  const shares = Array.from({ length: draws }, (_, draw) => {
    const noise = { seed: deriveSeed(3, "accuracy"), draw, imageIds: imageIdRange(0, images.shape[0]!) };
    return model.logits(images, noise).argmax(1).eq(labels).to("float32").mean().item();
  });
  return shares.reduce((sum, share) => sum + share, 0) / draws;
}

export const maxDifference = (a: Tensor, b: Tensor): number => a.sub(b).abs().amax().item();
