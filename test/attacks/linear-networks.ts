import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";

/** Two classes; class 1 leads by w . x + b, so that every attack's best is known in closed form. */
export function linearClassifier(
  inputShape: readonly [number, number, number],
  weights: Tensor,
  b: number,
): Classifier {
  const column = weights.reshape([-1, 1]);
  return {
    inputShape,
    classes: 2,
    randomized: false,
    logits: (images) =>
      images
        .flatten(1)
        .matmul(column)
        .add(b)
        .matmul(tensor([0, 1], [1, 2])),
  };
}

/** Weights in [-1, 1). */
export function randomWeights(count: number, seed = 3): Tensor {
  return countedUniform({ seed: deriveSeed(seed, "weights"), draw: 0, imageIds: imageIdRange(0, 1) }, 0, [
    count,
  ])
    .flatten()
    .mul(2)
    .sub(1);
}

/** Images that are 0.5 all over, where no ball of a radius below 0.5 meets the pixel range. */
export function grayImages(
  count: number,
  [channels, height, width]: readonly [number, number, number],
): Tensor {
  return tensor(new Float32Array(count * channels * height * width).fill(0.5), [
    count,
    channels,
    height,
    width,
  ]);
}

/** Wrong in a draw with probability 1 - p, whatever the image: no attack can do anything about it. */
export function coinClassifier(p: number): Classifier {
  return {
    inputShape: [1, 4, 4],
    classes: 2,
    randomized: true,
    logits: (_, noise) =>
      countedUniform(noise, 0, [1])
        .lt(p)
        .to("float32")
        .mul(2)
        .sub(1)
        .matmul(tensor([10, -10], [1, 2])),
  };
}

export const zeroLabels = (count: number) => tensor(new Array<number>(count).fill(0), [count], "int64");

export const contextOf = (ids: Tensor, seed = 5, passes = { forward: 0, backward: 0 }) => ({
  seed: deriveSeed(seed, "attack"),
  imageIds: ids,
  passes,
});
